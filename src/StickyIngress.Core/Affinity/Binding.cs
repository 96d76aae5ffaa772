using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Affinity;

/// <summary>
/// The peers that a client's binding names: the first primary and the first backup with that identity; null: none.
/// </summary>
public sealed record Binding(Peer? Primary, Peer? Backup)
{
    /// <summary>Names a peer that is no more.</summary>
    public static Binding Gone { get; } = new(null, null);

    public Peer? In(PeerGroup group) => group.Backup ? Backup : Primary;
}

/// <summary>What became of a request's affinity; the words of the metric are these in snake case.</summary>
public enum AffinityOutcome
{
    /// <summary>No affinity, or nobody was selected.</summary>
    None,

    /// <summary>The client presented no binding.</summary>
    New,

    /// <summary>The request went to the peer that the client was bound to.</summary>
    Kept,

    /// <summary>The client presented a binding that could not be kept; <see cref="BreakReason"/> says why.</summary>
    Rebound,

    /// <summary>The same, and it was answered with the upstream's fail status.</summary>
    Rejected,
}

/// <summary>Why a binding was not kept.</summary>
public enum BreakReason
{
    None,

    /// <summary>The peer does not exist any more.</summary>
    PeerGone,

    /// <summary>The peer is marked down.</summary>
    PeerDown,

    /// <summary>The peer is suspended after failures.</summary>
    PeerSuspended,

    /// <summary>An active check says the peer is unhealthy.</summary>
    PeerUnhealthy,

    /// <summary>The peer has maxConns requests.</summary>
    PeerFull,

    /// <summary>No connection to the peer could be made.</summary>
    ConnectFailed,

    /// <summary>
    /// The peer failed after it was connected: error, timeout, invalid header, or a status that sent the request on.
    /// </summary>
    PeerFailed,

    /// <summary>The binding's time is over.</summary>
    Expired,

    /// <summary>The binding is none of ours: forged, of a lost key, or never known.</summary>
    Unknown,

    /// <summary>The session table had no room for it any more.</summary>
    Evicted,

    /// <summary>The binding names a backup peer, and primaries are available.</summary>
    PeerBackup,
}
