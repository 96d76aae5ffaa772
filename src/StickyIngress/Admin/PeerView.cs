using StickyIngress.Core.Upstreams;

namespace StickyIngress.Admin;

/// <summary>What the admin port tells of a peer.</summary>
internal static class PeerView
{
    public static PeerCondition ConditionOf(Peer peer, long nowMilliseconds)
    {
        if (peer.Down) return PeerCondition.Down;
        if (peer.State.Unhealthy) return PeerCondition.Unhealthy;
        if (peer.Draining) return PeerCondition.Draining;
        if (PeerAccounting.IsSuspended(peer, nowMilliseconds / 1000)) return PeerCondition.Suspended;
        if (peer.MaxConns > 0 && peer.State.Conns >= peer.MaxConns) return PeerCondition.Full;
        if (SlowStart.IsRamping(peer, nowMilliseconds)) return PeerCondition.SlowStart;

        return PeerCondition.Available;
    }

    public static string Word(PeerCondition condition) => condition switch
    {
        PeerCondition.Available => "available",
        PeerCondition.Draining => "draining",
        PeerCondition.Suspended => "suspended",
        PeerCondition.SlowStart => "slow_start",
        PeerCondition.Full => "full",
        PeerCondition.Unhealthy => "unhealthy",
        _ => "down",
    };

}

/// <summary>How operators name the state of a peer; of several that hold, the one that matters most.</summary>
internal enum PeerCondition
{
    Available,
    Draining,
    Suspended,
    SlowStart,
    Full,
    Unhealthy,
    Down,
}
