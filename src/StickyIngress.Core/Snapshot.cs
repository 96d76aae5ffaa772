using System.Collections.Immutable;
using System.Collections.ObjectModel;
using StickyIngress.Core.Routing;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core;

/// <summary>
/// All that serving a request needs, compiled once. A request reads <see cref="SnapshotHolder.Current"/> when it arrives and keeps
/// that snapshot until it ends, so a publish never changes it halfway. Routes name upstreams by position, so that an
/// upstream can be replaced without building the routes again.
/// </summary>
public sealed record Snapshot(
    long Revision, ImmutableArray<Upstream> Upstreams, IReadOnlyDictionary<UpstreamName, int> Positions, RouteTable Routes)
{
    public static Snapshot Empty { get; } = new(0, [], ReadOnlyDictionary<UpstreamName, int>.Empty, RouteTable.Empty);

    /// <summary>What https clients are shown.</summary>
    public CertificateTable Certificates { get; init; } = CertificateTable.Empty;

    /// <summary>Collected anew each time.</summary>
    public IReadOnlySet<PeerRef> KnownPeers() => Upstreams.SelectMany(upstream => upstream.Peers).Select(peer => peer.State.Peer).ToHashSet();

    public Upstream? Find(UpstreamName name) => Positions.TryGetValue(name, out var position) ? Upstreams[position] : null;
}
