using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>
/// Smooth weighted round robin, as nginx does it: with weights 5, 1, 1 the order is a a b a c a a rather than five a in a row.
/// Every available peer earns its weight; the richest is chosen and pays the sum. A bound peer pays too, unless it is a whole
/// round ahead already. Large groups are chosen from by <see cref="PeerIndex"/>, with the same result.
/// </summary>
public sealed class RoundRobinBalancer : GroupBalancer
{
    public RoundRobinBalancer(PeerGroup primaries, PeerGroup backups)
        : this(primaries, backups, IndexUse.Normal)
    {
    }

    internal RoundRobinBalancer(PeerGroup primaries, PeerGroup backups, IndexUse use)
        : base(primaries, backups, load: null, use)
    {
    }

    private protected override Peer? Choose(Selection selection, PeerIndex? index, Peer? bound, long nowMilliseconds)
    {
        if (bound is not null && IsAhead(bound, selection.Group, index)) return bound;
        if (index is null) return Scan(selection, bound, nowMilliseconds);

        return bound is null ? index.Pick() : index.Charge(bound);
    }

    private static bool IsAhead(Peer bound, PeerGroup group, PeerIndex? index)
    {
        if (index is null) bound.State.Claim();
        var saved = index is null ? bound.State.CurrentWeight : index.Saved(bound);
        return saved <= (bound.Weight - group.TotalWeight) * SlowStart.UnitParts;
    }

    private static Peer? Scan(Selection selection, Peer? bound, long nowMilliseconds)
    {
        var now = nowMilliseconds / 1000;
        Peer? richest = null;
        var total = 0L;
        foreach (var peer in selection.Group.Peers)
        {
            if (!PeerAccounting.IsAvailable(peer, selection, now)) continue;

            total += SmoothRound.Earn(peer, nowMilliseconds);
            if (richest is null || peer.State.CurrentWeight > richest.State.CurrentWeight) richest = peer;
        }

        var chosen = bound ?? richest;
        if (chosen is not null) SmoothRound.Pay(chosen, total);
        return chosen;
    }
}
