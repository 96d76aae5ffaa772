using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Admin;

/// <summary>Upstreams and their sessions as the admin port tells them.</summary>
internal sealed class UpstreamViews(Clock clock)
{
    public UpstreamModel Upstream(Upstream upstream)
    {
        var now = clock.Milliseconds;
        return new(
            upstream.Name.Namespace, upstream.Name.Name, upstream.Affinity is { } affinity ? AffinityWords.Of(affinity.Mode) : null,
            [.. upstream.Peers.Select(peer => Peer(upstream, peer, now))]);
    }

    public PeerModel Peer(Upstream upstream, Peer peer) => Peer(upstream, peer, clock.Milliseconds);

    /// <param name="key">A session id, or a cookie's value; null: none is asked for.</param>
    public static SessionsModel Sessions(Upstream upstream, string? key)
    {
        var estimated = AreEstimates(upstream.Affinity);
        var peers = estimated is null ? null : upstream.Peers.DistinctBy(peer => peer.Label).ToDictionary(peer => peer.Label, upstream.Affinity!.BoundTo);
        var table = (upstream.Affinity as LearnAffinity)?.Table;
        return new(
            upstream.Name.Namespace, upstream.Name.Name, AffinityWords.Of(upstream.Affinity!.Mode), table?.Count, table?.Capacity, peers, estimated,
            string.IsNullOrEmpty(key) ? null : Session(upstream, key));
    }

    /// <summary>Whether counts of sessions are estimates; null: sessions are not counted.</summary>
    public static bool? AreEstimates(IAffinity? affinity) => affinity?.Mode switch
    {
        AffinityMode.Cookie => true,
        AffinityMode.Learn => false,
        _ => null,
    };

    private static SessionModel Session(Upstream upstream, string key)
    {
        var peer = upstream.Affinity!.Find(key);
        return new(peer is not null, peer?.Label);
    }

    private static PeerModel Peer(Upstream upstream, Peer peer, long now) => new(
        peer.Label, peer.Name, peer.State.Peer.Peer.Server, PeerView.Word(PeerView.ConditionOf(peer, now)), peer.Backup, peer.Down, peer.Draining, peer.Weight,
        SlowStart.EffectiveWeight(peer, now), peer.State.Conns, peer.MaxConns, peer.State.Fails, peer.State.SelectedTotal, peer.State.FailedTotal,
        AreEstimates(upstream.Affinity) is null ? null : upstream.Affinity!.BoundTo(peer), AreEstimates(upstream.Affinity),
        peer.Override == PeerOverride.None ? null : new(peer.Override.Down, peer.Override.Drain, peer.Override.Weight));
}
