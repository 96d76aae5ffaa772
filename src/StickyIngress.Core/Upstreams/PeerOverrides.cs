using System.Collections.Immutable;

namespace StickyIngress.Core.Upstreams;

/// <summary>
/// Everything that was changed at run time, immutable. A peer need not exist now: one that comes back, after a restart or when DNS
/// names it again, finds what was set for it.
/// </summary>
public sealed class PeerOverrides
{
    private readonly ImmutableDictionary<UpstreamName, ImmutableDictionary<PeerKey, PeerOverride>> _upstreams;

    private PeerOverrides(ImmutableDictionary<UpstreamName, ImmutableDictionary<PeerKey, PeerOverride>> upstreams, int count, long version) =>
        (_upstreams, Count, Version) = (upstreams, count, version);

    public static PeerOverrides Empty { get; } = new(ImmutableDictionary<UpstreamName, ImmutableDictionary<PeerKey, PeerOverride>>.Empty, 0, 0);

    /// <summary>Grows with each change within this process.</summary>
    public long Version { get; }

    public int Count { get; }

    public IEnumerable<(PeerRef Peer, PeerOverride Override)> All =>
        _upstreams.SelectMany(upstream => upstream.Value.Select(peer => (new PeerRef(upstream.Key, peer.Key), peer.Value)));

    public ImmutableDictionary<PeerKey, PeerOverride> Of(UpstreamName upstream) =>
        _upstreams.GetValueOrDefault(upstream, ImmutableDictionary<PeerKey, PeerOverride>.Empty);

    public PeerOverride Of(PeerRef peer) => Of(peer.Upstream).GetValueOrDefault(peer.Peer, PeerOverride.None);

    public PeerOverrides With(PeerRef peer, PeerOverride change)
    {
        var former = Of(peer.Upstream);
        var peers = change == PeerOverride.None ? former.Remove(peer.Peer) : former.SetItem(peer.Peer, change);
        var upstreams = peers.IsEmpty ? _upstreams.Remove(peer.Upstream) : _upstreams.SetItem(peer.Upstream, peers);
        return new(upstreams, Count + peers.Count - former.Count, Version + 1);
    }

    /// <summary>The upstreams whose peers are not as they were in the former.</summary>
    public IEnumerable<UpstreamName> ChangedSince(PeerOverrides former) => ReferenceEquals(this, former)
        ? []
        : _upstreams.Keys.Union(former._upstreams.Keys).Where(upstream => Of(upstream) != former.Of(upstream));
}
