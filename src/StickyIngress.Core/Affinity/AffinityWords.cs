namespace StickyIngress.Core.Affinity;

/// <summary>
/// Modes, outcomes and reasons as metrics, logs and <c>$sticky_outcome</c>, <c>$sticky_reason</c> spell them: in snake
/// case.
/// </summary>
public static class AffinityWords
{
    public static string Of(AffinityMode mode) => mode switch
    {
        AffinityMode.Cookie => "cookie",
        AffinityMode.Route => "route",
        AffinityMode.Learn => "learn",
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, null),
    };

    public static string Of(AffinityOutcome outcome) => outcome switch
    {
        AffinityOutcome.None => "none",
        AffinityOutcome.New => "new",
        AffinityOutcome.Kept => "kept",
        AffinityOutcome.Rebound => "rebound",
        AffinityOutcome.Rejected => "rejected",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, null),
    };

    /// <summary>Empty for <see cref="BreakReason.None"/>.</summary>
    public static string Of(BreakReason reason) => reason switch
    {
        BreakReason.None => "",
        BreakReason.PeerGone => "peer_gone",
        BreakReason.PeerDown => "peer_down",
        BreakReason.PeerSuspended => "peer_suspended",
        BreakReason.PeerUnhealthy => "peer_unhealthy",
        BreakReason.PeerFull => "peer_full",
        BreakReason.ConnectFailed => "connect_failed",
        BreakReason.PeerFailed => "peer_failed",
        BreakReason.Expired => "expired",
        BreakReason.Unknown => "unknown",
        BreakReason.Evicted => "evicted",
        BreakReason.PeerBackup => "peer_backup",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, null),
    };
}
