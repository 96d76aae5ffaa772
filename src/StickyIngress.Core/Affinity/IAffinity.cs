using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Affinity;

/// <summary>Binds clients to peers. The selector calls these in order; none is called with a lock held.</summary>
public interface IAffinity
{
    AffinityMode Mode { get; }

    /// <summary>
    /// Once before the first selection: what has to be waited for, which is the answer of a store that other replicas share.
    /// </summary>
    ValueTask PrepareAsync(Selection selection) => default;

    /// <summary>
    /// Before each selection: what the client presents (read once per request) and which peers that names now, into
    /// <see cref="Selection.Binding"/>.
    /// </summary>
    void Bind(Selection selection);

    /// <summary>
    /// After each selection: a cookie for the client, where one is due, into <see cref="Selection.SetCookie"/>.
    /// </summary>
    void Selected(Selection selection, Peer peer);

    /// <summary>The header of a response that goes to the client is here.</summary>
    void HeaderReceived(Selection selection, Peer peer);

    /// <summary>
    /// A try has ended; with <see cref="TryOutcome.Ok"/> its response went to the client, or the client left.
    /// </summary>
    void Released(Selection selection, Peer peer, TryOutcome outcome);

    /// <summary>
    /// Clients or sessions bound to the peer: exact for learn, an estimate for cookie, 0 for route, which keeps
    /// nothing.
    /// </summary>
    long BoundTo(Peer peer) => 0;

    /// <summary>The peer that a value names which a client might present; null: none now. Changes nothing.</summary>
    Peer? Find(ReadOnlySpan<char> presented);
}

public enum AffinityMode
{
    Cookie,
    Route,
    Learn,
}

/// <summary>How a try ended, as far as the peer is concerned.</summary>
public enum TryOutcome
{
    /// <summary>A response went to the client, or the client left.</summary>
    Ok,

    /// <summary>
    /// Error, timeout or invalid header, or a status that led to another try: counts against the peer.
    /// </summary>
    Failed,

    /// <summary>403 or 404 led to another try: does not count against the peer.</summary>
    Next,
}
