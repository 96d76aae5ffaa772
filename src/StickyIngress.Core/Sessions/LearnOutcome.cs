using System.Runtime.InteropServices;

namespace StickyIngress.Core.Sessions;

/// <summary>What learning did.</summary>
public enum LearnOutcome
{
    /// <summary>The session is not in the table, and was not to be created.</summary>
    Ignored,

    /// <summary>A new session, on probation until it is learned again.</summary>
    Created,

    /// <summary>It was bound to this peer already.</summary>
    Refreshed,

    /// <summary>It was bound to another peer and is now bound to this one.</summary>
    Rebound,

    /// <summary>Another request bound it to another peer first. That binding stays and was refreshed.</summary>
    Adopted,
}

/// <summary>What learning did, and which peer the session is bound to now (-1: to none).</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct LearnResult(LearnOutcome Outcome, int Ordinal);

/// <summary>The same with what was before.</summary>
/// <param name="Former">The peer that the session was bound to; <see cref="SessionTable.Unbound"/>: none.</param>
/// <param name="Unused">For how long it had not been learned.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct SessionLearned(SessionKey Key, LearnResult Result, int Former = SessionTable.Unbound, TimeSpan Unused = default);
