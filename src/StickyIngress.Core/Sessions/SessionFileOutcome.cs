namespace StickyIngress.Core.Sessions;

/// <summary>How reading a session file ended.</summary>
public enum SessionFileOutcome
{
    Loaded,

    /// <summary>There is no such file, as at the first start.</summary>
    Missing,

    /// <summary>The operating system would not let it be read.</summary>
    Unreadable,

    /// <summary>It is not a session file.</summary>
    Foreign,

    /// <summary>Another release wrote it in another format.</summary>
    OtherVersion,

    /// <summary>Its sessions were hashed with another secret.</summary>
    OtherSecret,

    /// <summary>It is cut short or was changed.</summary>
    Torn,
}

/// <summary>What a session file held, and a sentence for the log. No zones unless it was loaded.</summary>
public sealed record SessionFileResult(SessionFileOutcome Outcome, string Message, IReadOnlyList<SavedZone> Zones);
