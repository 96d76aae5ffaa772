using System.Collections.Concurrent;

namespace StickyIngress.Core.Upstreams;

/// <summary>The states of all upstreams. The compiler takes them from here; after a publish what is gone is forgotten.</summary>
public sealed class UpstreamStates
{
    private readonly ConcurrentDictionary<UpstreamName, UpstreamState> _upstreams = new();

    public UpstreamState Get(UpstreamName name) => _upstreams.GetOrAdd(name, key => new(key));

    /// <summary>Forgets the peers that the upstream has no more.</summary>
    public static IReadOnlyList<PeerState> Retain(Upstream upstream) =>
        upstream.State.Retain(upstream.Peers.Select(peer => peer.State).ToHashSet());

    /// <summary>Forgets an upstream.</summary>
    public bool Remove(UpstreamName name)
    {
        if (!_upstreams.TryRemove(name, out var gone)) return false;

        gone.IsGone = true;
        return true;
    }
}
