using System.Runtime.InteropServices;

namespace StickyIngress.Core.Sessions;

/// <summary>What learn affinity knows of a request's session.</summary>
/// <param name="HasKey">The client presented an id.</param>
/// <param name="Key">Of that id.</param>
/// <param name="ClientMade">The id is one that the client makes up, so that nobody need have seen it before.</param>
/// <param name="Ordinal">
/// The peer that the table named at the latest selection; <see cref="SessionTable.Unbound"/>: none.
/// </param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct SessionLookup(bool HasKey, SessionKey Key, bool ClientMade, int Ordinal);

/// <summary>One open request of a session, as the table counts it; <see cref="SessionTable.Close"/> takes it.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct OpenSession(SessionKey Key, int Place);
