using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>One peer's part in a round of smooth weighted round robin.</summary>
internal static class SmoothRound
{
    /// <summary>The peer earns what its weight is worth now, and regains one unit of what failures took. Returns what it earned.</summary>
    public static long Earn(Peer peer, long nowMilliseconds)
    {
        var state = peer.State;
        state.Claim();
        var earned = SlowStart.Parts(peer, Math.Max(0, peer.Weight - state.LostWeight), nowMilliseconds);
        state.CurrentWeight += earned;
        if (state.LostWeight > 0) state.LostWeight--;
        return earned;
    }

    /// <summary>The chosen peer pays what all have earned.</summary>
    public static void Pay(Peer peer, long total) => peer.State.CurrentWeight -= total;
}
