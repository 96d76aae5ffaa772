namespace StickyIngress.Core.Upstreams;

/// <summary>
/// What an upstream keeps from one snapshot to the next: the states of its peers, and who its peers were.
/// </summary>
public sealed class UpstreamState(UpstreamName name)
{
    private const int FormerPeersKept = 1024;

    private readonly Dictionary<PeerKey, PeerState> _peers = [];
    private readonly Queue<FormerPeer> _former = new();
    private int _formerVersion;

    public UpstreamName Name { get; } = name;

    /// <summary>Held for a pick, and for counting a request in and out; never across an await.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Requests that wait for a peer.</summary>
    public UpstreamQueue Queue { get; } = new();

    /// <summary>The upstream is no more, though requests to it may still run. One of the same name that comes later has a state of its own.</summary>
    public bool IsGone { get => Volatile.Read(ref field); internal set => Volatile.Write(ref field, value); }

    /// <summary>The state of that peer; a new one where it was not known.</summary>
    /// <param name="sid">By which clients may know it when it is gone; null: nginx's name of its address.</param>
    public PeerState Peer(in PeerKey key, string? sid = null)
    {
        lock (_peers)
        {
            if (!_peers.TryGetValue(key, out var state)) _peers.Add(key, state = new(this, key));

            state.Sid = sid;
            return state;
        }
    }

    /// <summary>Peers that are no more, the latest last; as many as are worth remembering.</summary>
    public IReadOnlyList<FormerPeer> FormerPeers
    {
        get
        {
            lock (_peers) return [.. _former];
        }
    }

    /// <summary>Grows with every change of <see cref="FormerPeers"/>, from 0: none yet.</summary>
    public int FormerVersion => Volatile.Read(ref _formerVersion);

    /// <summary>Forgets the states of all peers but these.</summary>
    internal IReadOnlyList<PeerState> Retain(IReadOnlySet<PeerState> current)
    {
        lock (_peers)
        {
            var gone = _peers.Where(entry => !current.Contains(entry.Value)).ToArray();
            foreach (var (key, state) in gone)
            {
                _peers.Remove(key);
                state.IsGone = true;
                _former.Enqueue(new(key.Id, state.Sid));
                if (_former.Count > FormerPeersKept) _former.Dequeue();
            }

            if (gone.Length > 0) Volatile.Write(ref _formerVersion, _formerVersion + 1);
            return [.. gone.Select(entry => entry.Value)];
        }
    }
}

/// <summary>
/// What makes a peer the same peer in the next snapshot: the server that it is of, who it is, and where.
/// </summary>
public readonly record struct PeerKey(string Server, PeerId Id, string Address);

/// <summary>A peer that is no more, by the names that its clients may still present.</summary>
public readonly record struct FormerPeer(PeerId Id, string Sid);
