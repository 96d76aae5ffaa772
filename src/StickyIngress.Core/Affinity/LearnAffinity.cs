using System.Collections.Immutable;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Sharing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Affinity;

/// <summary>
/// nginx sticky learn: which peer a session is bound to is learned from the answers, and looked up by the id that the
/// client presents. A session is bound to the peer's id, so whoever gets the peer's address later inherits none.
/// </summary>
/*
 * The id is read once, before the first selection; the table is asked before each. What answers is learned at the end
 * of the response, or with Header at its beginning: failed tries and those that led to the next peer teach nothing. The
 * session moves to whichever peer answered. Of several first requests of one session the first answer wins: the others
 * find the table changed since they looked and leave it. While a request of a known session is open the table keeps it.
 */
public sealed class LearnAffinity : IAffinity
{
    private readonly LearnSettings _settings;
    private readonly SessionHasher _hasher;
    private readonly PeerOrdinals _ordinals;
    private readonly Bindings _byId;
    private readonly ImmutableArray<int> _primaries;
    private readonly ImmutableArray<int> _backups;
    private readonly SharedZone? _shared;
    private readonly ImmutableArray<SessionHasher> _otherHashers;

    /// <summary>Ids come from cookies of requests alone, so no answer changes what a request said.</summary>
    private readonly bool _requestsSayAll;

    /// <param name="table">
    /// The upstream's, through all snapshots, as are <paramref name="hasher"/> and <paramref name="ordinals"/>.
    /// </param>
    /// <param name="shared">Where other replicas share what they learn; null: they do not.</param>
    /// <param name="otherHashers">How replicas hash that were started when the keys were others.</param>
    public LearnAffinity(
        LearnSettings settings,
        SessionTable table,
        SessionHasher hasher,
        PeerOrdinals ordinals,
        PeerGroup primaries,
        PeerGroup backups,
        SharedZone? shared = null,
        ImmutableArray<SessionHasher> otherHashers = default)
    {
        (_settings, Table, _hasher, _ordinals) = (settings, table, hasher, ordinals);
        (_shared, _otherHashers) = (shared, otherHashers.IsDefault ? [] : otherHashers);
        _byId = Bindings.ById(primaries, backups);
        _requestsSayAll = settings.Create.All(template => template.SingleVariable is { Kind: VariableKind.CookieNamed });
        _primaries = [.. primaries.Peers.Select(peer => ordinals.Assign(peer.Id.Value))];
        _backups = [.. backups.Peers.Select(peer => ordinals.Assign(peer.Id.Value))];
    }

    public AffinityMode Mode => AffinityMode.Learn;

    public SessionTable Table { get; }

    /// <summary>Only a session that the table does not know is worth asking others for.</summary>
    public ValueTask PrepareAsync(Selection selection)
    {
        if (_shared is null) return default;

        ReadId(selection);
        var session = selection.Session;
        return session.HasKey && !Table.TryFind(session.Key, out _) ? FetchAsync(_shared, session.Key, OtherKeys(selection)) : default;
    }

    public void Bind(Selection selection)
    {
        ReadId(selection);
        var session = selection.Session;
        if (!session.HasKey) return;

        var found = Table.TryFind(session.Key, out var ordinal);
        selection.Session = session with { Ordinal = ordinal };
        selection.Binding = found ? BindingOf(ordinal) : null;
        selection.Unbound = found ? BreakReason.None : WhyUnbound(session);
        selection.Presented |= found || selection.Unbound != BreakReason.None;
        selection.BoundAlike = !found && _shared is { IsAway: true };
    }

    public void Selected(Selection selection, Peer peer)
    {
        if (selection.Session is { HasKey: true, Ordinal: not SessionTable.Unbound } session) Open(selection, session.Key);
    }

    public void HeaderReceived(Selection selection, Peer peer)
    {
        if (_settings.Header && Learn(selection, peer) is { } key) Open(selection, key);
    }

    public void Released(Selection selection, Peer peer, TryOutcome outcome)
    {
        if (selection.OpenSession is { } open) Table.Close(open);
        selection.OpenSession = null;
        if (!_settings.Header && outcome == TryOutcome.Ok) Learn(selection, peer);
    }

    /// <summary>Sessions bound to the peer: exact.</summary>
    public long BoundTo(Peer peer) => Table.CountFor(OrdinalOf(peer));

    /// <summary>The peer that a session id is bound to; null: it is not known, or its peer is gone.</summary>
    public Peer? Find(ReadOnlySpan<char> presented) =>
        Table.TryFind(_hasher.Hash(presented), out var ordinal) && BindingOf(ordinal) is var binding ? binding.Primary ?? binding.Backup : null;

    /// <summary>
    /// The upstream has the peer no more. Its sessions stay until they are due, so that their clients are told why they moved; then
    /// its number may be another's.
    /// </summary>
    public void Release(Peer gone) => _ordinals.Release(gone.Id.Value, () => gone.State.Conns > 0);

    private SessionKey[] OtherKeys(Selection selection)
    {
        if (_otherHashers.IsEmpty || !FirstValue.TryRead(_settings.Lookup, selection.Values, out var id)) return [];

        var keys = new SessionKey[_otherHashers.Length];
        for (var i = 0; i < keys.Length; i++) keys[i] = _otherHashers[i].Hash(id);
        return keys;
    }

    /// <summary>A session that is known by a key of other replicas alone is bound to the same peer by ours.</summary>
    private async ValueTask FetchAsync(SharedZone shared, SessionKey key, SessionKey[] otherKeys)
    {
        if (otherKeys.Length == 0)
        {
            await shared.FetchAsync(key);
            return;
        }

        var asked = otherKeys.Append(key).Where(one => !Table.TryFind(one, out _)).Select(one => shared.FetchAsync(one).AsTask());
        await Task.WhenAll(asked.ToArray());
        foreach (var other in otherKeys)
        {
            if (Table.TryFind(other, out var ordinal) && BindingOf(ordinal) != Binding.Gone)
                Table.Learn(key, ordinal, mayCreate: true, SessionTable.Unbound);
        }
    }

    private void ReadId(Selection selection)
    {
        if (selection.AffinityRead) return;

        selection.AffinityRead = true;
        if (!FirstValue.TryRead(_settings.Lookup, selection.Values, out var id)) return;

        // Before there is a response only the request can say which id a new session would have.
        var clientMade = FirstValue.TryRead(_settings.Create, selection.Values, out var created) && created.SequenceEqual(id);
        selection.Session = new(true, _hasher.Hash(id), clientMade, SessionTable.Unbound);
    }

    private Binding BindingOf(int ordinal) =>
        (_ordinals.PeerAt(ordinal) is { } id ? _byId.Find(id) : null) ?? Binding.Gone;

    /// <summary>
    /// None: the client made the id up just now. What the table has forgotten is not refused but balanced as new.
    /// </summary>
    private BreakReason WhyUnbound(in SessionLookup session)
    {
        if (!Table.TryFindEnded(session.Key, out var end))
            return session.ClientMade ? BreakReason.None : BreakReason.Unknown;

        return end == SessionEnd.Evicted ? BreakReason.Evicted : BreakReason.Expired;
    }

    /// <summary>The session is kept until the try is released.</summary>
    private void Open(Selection selection, in SessionKey key)
    {
        if (selection.OpenSession is { } open)
        {
            if (open.Key == key) return;

            Table.Close(open);
        }

        selection.OpenSession = Table.Open(key);
    }

    /// <summary>The session that the answer was learned for; null: it is for none.</summary>
    private SessionKey? Learn(Selection selection, Peer peer)
    {
        var session = selection.Session;
        var ordinal = OrdinalOf(peer);

        // A request that has waited in an old snapshot while the peer went: its number is nobody's, or another peer's.
        if (_ordinals.PeerAt(ordinal) != peer.Id.Value) return null;

        if (_requestsSayAll && session.ClientMade)
        {
            Table.Learn(session.Key, ordinal, mayCreate: true, session.Ordinal);
            return session.Key;
        }

        var mayCreate = FirstValue.TryRead(_settings.Create, selection.Values, out var id);
        var key = mayCreate ? _hasher.Hash(id) : session.Key;
        if (session.HasKey && key == session.Key)
        {
            // What was known when the request began is not forgotten because the table was full meanwhile.
            var wasKnown = session.Ordinal != SessionTable.Unbound;
            var replacedFor = selection.Binding == Binding.Gone ? SessionEnd.PeerGone : SessionEnd.Replaced;
            Table.Learn(key, ordinal, mayCreate || wasKnown, session.Ordinal, replacedFor);
        }
        else if (mayCreate)
        {
            Table.Learn(key, ordinal, mayCreate);
        }

        return mayCreate || session.HasKey ? key : null;
    }

    private int OrdinalOf(Peer peer) => peer.Backup ? _backups[peer.Index] : _primaries[peer.Index];
}
