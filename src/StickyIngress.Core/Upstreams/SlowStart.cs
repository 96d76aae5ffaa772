namespace StickyIngress.Core.Upstreams;

/// <summary>
/// The weight of a peer that has just come back or has just appeared: it grows evenly from nothing to the full weight in
/// <see cref="Peer.SlowStartMilliseconds"/>. All of it is called with the upstream's <see cref="UpstreamState.Gate"/> held,
/// but for <see cref="Admit"/>, which takes it. Times are Unix milliseconds.
/// </summary>
/*
 * Smooth round robin adds up whole weights, and a growing weight of 1 is a fraction. So a peer in slow start earns in each
 * round the whole units that have come together and keeps the rest for the next round: over many rounds its share is exact,
 * nothing is scaled, and what the others have saved up stays as it is when a slow start begins or ends.
 */
public static class SlowStart
{
    /// <summary>Weights are compared in these parts of a unit.</summary>
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

        (peer.State.SlowStartSince, peer.State.SlowStartRemainder) = (nowMilliseconds, 0);
        peer.State.Changed();
    }

    /// <summary>What the peer earns in one round of smooth round robin, of a weight that failures may have lowered.</summary>
    internal static long Earn(Peer peer, long effectiveWeight, long nowMilliseconds)
    {
        if (HasEnded(peer, nowMilliseconds)) return effectiveWeight;

        var state = peer.State;
        var sum = state.SlowStartRemainder + (effectiveWeight * (nowMilliseconds - state.SlowStartSince));
        (var whole, state.SlowStartRemainder) = Math.DivRem(sum, peer.SlowStartMilliseconds);
        return whole;
    }

    /// <summary>The configured weight as it counts now, in <see cref="UnitParts"/>; at least 1.</summary>
    internal static long ScaledWeight(Peer peer, long nowMilliseconds)
    {
        var full = (long)peer.Weight * UnitParts;
        return HasEnded(peer, nowMilliseconds)
            ? full
            : Math.Max(1, full * (nowMilliseconds - peer.State.SlowStartSince) / peer.SlowStartMilliseconds);
    }

    private static bool HasEnded(Peer peer, long nowMilliseconds)
    {
        if (peer.State.SlowStartSince == 0) return true;
        if (IsRamping(peer, nowMilliseconds)) return false;

        peer.State.SlowStartSince = 0;
        return true;
    }
}
