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

    /// <summary>
    /// What a request has taught the table. New bindings are written at once; a session that is used, once in a tenth of its timeout,
    /// which ends at another moment for each session.
    /// </summary>
    internal void Learned(SessionLearned learned)
    {
        switch (learned.Result.Outcome)
        {
            case LearnOutcome.Created:
            case LearnOutcome.Rebound:
                _sharing.Add(this, learned.Key, learned.Former == SessionTable.Unbound ? null : _zone.Peers.PeerAt(learned.Former), announce: true, TimeSpan.Zero);
                break;
            case LearnOutcome.Refreshed or LearnOutcome.Adopted when _sharing.IsRefreshDue(learned.Key, learned.Unused, Timeout):
                _sharing.Add(this, learned.Key, null, announce: false, TimeSpan.Zero);
                break;
        }
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

        outcome = _zone.Table.Adopt(key, ordinal, expected).Outcome;
        return true;
    }
}
