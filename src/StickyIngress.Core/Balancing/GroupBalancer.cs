using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>
/// What round robin, least_conn and least_time have in common: a sole peer is always tried, and where no primary is available
/// the same method chooses among the backups.
/// </summary>
public abstract class GroupBalancer : IBalancer
{
    private readonly IndexedGroup _primaries;
    private readonly IndexedGroup _backups;

    private protected GroupBalancer(PeerGroup primaries, PeerGroup backups, ILoad? load, IndexUse use) =>
        (_primaries, _backups) = (new(primaries, load, use), new(backups, load, use));

    public Peer? Pick(Selection selection, long nowMilliseconds)
    {
        var peer = PickFromGroup(selection, nowMilliseconds);
        if (peer is not null || selection.Group.Backup || _backups.IsEmpty) return peer;

        selection.MoveToBackups();
        peer = PickFromGroup(selection, nowMilliseconds);
        if (peer is null) selection.ReturnToPrimaries();
        return peer;
    }

    /// <summary>Chooses by the index where one is given, else by looking at all peers of the selection's group.</summary>
    private protected abstract Peer? Choose(Selection selection, PeerIndex? index, Peer? bound, long nowMilliseconds);

    private Peer? PickFromGroup(Selection selection, long nowMilliseconds)
    {
        var bound = PeerAccounting.UsableBound(selection, nowMilliseconds / 1000);
        if (selection.Group.Single) return bound ?? Sole(selection, nowMilliseconds);

        var group = selection.Group.Backup ? _backups : _primaries;
        return Choose(selection, group.IndexFor(selection, nowMilliseconds), bound, nowMilliseconds);
    }

    private static Peer? Sole(Selection selection, long nowMilliseconds)
    {
        var peer = selection.Group.Peers[0];
        return PeerAccounting.IsAvailable(peer, selection, nowMilliseconds / 1000) ? peer : null;
    }
}
