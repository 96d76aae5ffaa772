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

    /// <summary>
    /// The peer that is meant: by its label, else by its address, else by its server's name where that has one peer. A slash may be written as %2F.
    /// </summary>
    public static Peer? Find(Upstream upstream, string text)
    {
        var name = text.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        return upstream.Peers.FirstOrDefault(peer => peer.Label == name)
            ?? upstream.Peers.FirstOrDefault(peer => peer.Name == name)
            ?? (upstream.Peers.Where(peer => peer.State.Peer.Peer.Server == name).Take(2).ToArray() is [var only] ? only : null);
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
