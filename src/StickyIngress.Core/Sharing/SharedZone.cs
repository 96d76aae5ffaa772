using StickyIngress.Core.Sessions;

namespace StickyIngress.Core.Sharing;

/// <summary>The sessions of one upstream, as they are shared. The table always answers first; this never makes it wait.</summary>
public sealed class SharedZone
{
    private readonly SessionSharing _sharing;
    private readonly SessionZone _zone;

    internal SharedZone(SessionSharing sharing, string owner, SessionZone zone) => (_sharing, Owner, _zone) = (sharing, owner, zone);

    /// <summary>UID of the upstream; the same on every replica.</summary>
    public string Owner { get; }

    public SessionZone Zone => _zone;

    /// <summary>Whether sessions that nobody here knows are to be bound so that every replica binds them alike.</summary>
    public bool IsAway => _sharing.IsAway;

    /// <summary>The store keeps a session somewhat longer than the table: its last use is told to it late.</summary>
    internal TimeSpan Lifetime => Timeout + (Timeout / SessionSharing.RefreshesPerTimeout);

    private TimeSpan Timeout => _zone.Table.Timeout;

    /// <summary>A request has bound a session, which was bound to <paramref name="former"/> before, or to no peer.</summary>
    public void Bound(in SessionKey key, int former) =>
        _sharing.Add(this, key, former == SessionTable.Unbound ? null : _zone.Peers.PeerAt(former), announce: true, TimeSpan.Zero);

    /// <summary>
    /// A request has used a session that was last used so long ago. The store is told once in a tenth of its timeout; when that
    /// is differs from session to session.
    /// </summary>
    public void Used(in SessionKey key, TimeSpan unused)
    {
        if (_sharing.IsRefreshDue(key, unused, Timeout)) _sharing.Add(this, key, null, announce: false, TimeSpan.Zero);
    }

    /// <summary>Asks the store for a session that the table does not know; true: now it does.</summary>
    public ValueTask<bool> FetchAsync(in SessionKey key) => _sharing.FetchAsync(this, key);

    /// <summary>What is to be written of a session now; null: nothing any more.</summary>
    internal string? PeerOf(in SessionKey key, out int ordinal) =>
        _zone.Table.TryFind(key, out ordinal) && _zone.Peers.PeerAt(ordinal) is { } peer && _zone.Peers.TryGetCurrent(peer, out _) ? peer : null;

    /// <summary>Takes over what another replica has bound; false: to a peer that is not known here.</summary>
    /// <param name="expected">Only where it is still bound to that, or to none.</param>
    internal bool TryAdopt(in SessionKey key, string peer, int? expected, out LearnOutcome outcome)
    {
        outcome = LearnOutcome.Ignored;
        if (!_zone.Peers.TryGetCurrent(peer, out var ordinal)) return false;

        outcome = expected is { } bound
            ? _zone.Table.Learn(key, ordinal, mayCreate: bound == SessionTable.Unbound, bound).Outcome
            : _zone.Table.Learn(key, ordinal, mayCreate: true).Outcome;
        return true;
    }
}
