using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>
/// The peer with the least load for its weight; several that are equal take turns by smooth round robin, in which only they
/// earn. A bound peer is taken as it is.
/// </summary>
public abstract class LeastLoadBalancer : GroupBalancer
{
    private readonly ILoad _load;

    private protected LeastLoadBalancer(PeerGroup primaries, PeerGroup backups, ILoad load, IndexUse use)
        : base(primaries, backups, load, use) => _load = load;

    private protected sealed override Peer? Choose(Selection selection, PeerIndex? index, Peer? bound, long nowMilliseconds) =>
        bound ?? PickByIndex(index) ?? Scan(selection, observed: index is not null, nowMilliseconds);

    private static Peer? PickByIndex(PeerIndex? index)
    {
        index?.Observe();
        return index?.Pick();
    }

    private Peer? Scan(Selection selection, bool observed, long nowMilliseconds)
    {
        var now = nowMilliseconds / 1000;
        var peers = selection.Group.Peers;
        var (best, load, weight, several) = (-1, 0L, 0L, false);
        for (var i = 0; i < peers.Length; i++)
        {
            if (!PeerAccounting.IsAvailable(peers[i], selection, now)) continue;

            if (!observed) _load.Observe(peers[i], nowMilliseconds);
            var peerLoad = _load.Of(peers[i], nowMilliseconds);
            var peerWeight = SlowStart.Parts(peers[i], nowMilliseconds);
            var order = best < 0 ? -1 : (peerLoad * weight).CompareTo(load * peerWeight);
            if (order < 0) (best, load, weight, several) = (i, peerLoad, peerWeight, false);
            else if (order == 0) several = true;
        }

        if (best < 0) return null;
        return several ? TakeTurns(selection, best, load, weight, nowMilliseconds) : peers[best];
    }

    /// <summary>Smooth round robin among the peers from <paramref name="first"/> on that are equal to it.</summary>
    private Peer TakeTurns(Selection selection, int first, long load, long weight, long nowMilliseconds)
    {
        var now = nowMilliseconds / 1000;
        var peers = selection.Group.Peers;
        var richest = peers[first];
        var total = 0L;
        for (var i = first; i < peers.Length; i++)
        {
            var peer = peers[i];
            if (!PeerAccounting.IsAvailable(peer, selection, now)) continue;

            var peerLoad = _load.Of(peer, nowMilliseconds);
            var peerWeight = SlowStart.Parts(peer, nowMilliseconds);
            if (peerLoad * weight != load * peerWeight) continue;

            total += SmoothRound.Earn(peer, nowMilliseconds);
            if (peer.State.CurrentWeight <= richest.State.CurrentWeight) continue;

            (richest, weight) = (peer, peerWeight);
            if (!_load.ComparesWithFirst) load = peerLoad;
        }

        SmoothRound.Pay(richest, total);
        return richest;
    }
}
