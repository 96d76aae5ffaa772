namespace StickyIngress.Core.Upstreams;

/// <summary>
/// The weight of a peer that has just come back or has just appeared: it grows evenly from nothing to the full weight in
/// <see cref="Peer.SlowStartMilliseconds"/>. All of it is called with the upstream's <see cref="UpstreamState.Gate"/> held,
/// but for <see cref="Admit"/>, which takes it. Times are Unix milliseconds.
/// </summary>
/*
 * Smooth round robin adds up whole numbers, and a growing weight of 1 is a fraction. So all weights are counted in parts of a
 * unit, always: without a slow start that changes no comparison, and nothing is converted when one begins or ends.
 */
public static class SlowStart
{
    /// <summary>Parts of one unit of weight.</summary>
    internal const int UnitParts = 1024;

    /// <summary>
    /// To be called for every upstream just before the snapshot with it is published. A peer that joins others already serving
    /// starts slowly; where all are new, at first load, none does.
    /// </summary>
    public static void Admit(Upstream upstream, long nowMilliseconds)
    {
        lock (upstream.State.Gate)
        {
            var serving = upstream.Peers.Any(peer => peer.State.Admitted);
            foreach (var peer in upstream.Peers)
            {
                if (peer.State.Admitted) continue;

                peer.State.Admitted = true;
                if (serving) Begin(peer, nowMilliseconds);
            }
        }
    }

    public static bool IsRamping(Peer peer, long nowMilliseconds) =>
        peer.State.SlowStartSince > 0 && nowMilliseconds - peer.State.SlowStartSince < peer.SlowStartMilliseconds;

    /// <summary>The weight that round robin counts with now: less what failures took, and grown as far as slow start is.</summary>
    public static double EffectiveWeight(Peer peer, long nowMilliseconds)
    {
        var weight = (double)Math.Max(0, peer.Weight - peer.State.LostWeight);
        return IsRamping(peer, nowMilliseconds)
            ? weight * (nowMilliseconds - peer.State.SlowStartSince) / peer.SlowStartMilliseconds
            : weight;
    }

    internal static void Begin(Peer peer, long nowMilliseconds)
    {
        if (peer.SlowStartMilliseconds == 0) return;

        peer.State.SlowStartSince = nowMilliseconds;
        peer.State.Changed();
    }

    /// <summary>As much of that weight of the peer as counts now, in <see cref="UnitParts"/>.</summary>
    internal static long Parts(Peer peer, long weight, long nowMilliseconds)
    {
        var full = weight * UnitParts;
        return peer.State.SlowStartSince == 0 || HasEnded(peer, nowMilliseconds)
            ? full
            : full * (nowMilliseconds - peer.State.SlowStartSince) / peer.SlowStartMilliseconds;
    }

    /// <summary>The configured weight as it counts now, in <see cref="UnitParts"/>; at least 1, so that loads can be compared by it.</summary>
    internal static long Parts(Peer peer, long nowMilliseconds) => Math.Max(1, Parts(peer, peer.Weight, nowMilliseconds));

    private static bool HasEnded(Peer peer, long nowMilliseconds)
    {
        if (IsRamping(peer, nowMilliseconds)) return false;

        peer.State.SlowStartSince = 0;
        return true;
    }
}
