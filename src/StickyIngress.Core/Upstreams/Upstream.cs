using StickyIngress.Core.Affinity;
using StickyIngress.Core.Balancing;

namespace StickyIngress.Core.Upstreams;

/// <summary>A compiled group of peers, how to choose among them, and how clients stick to them.</summary>
public sealed class Upstream
{
    public required UpstreamName Name { get; init; }

    public required UpstreamState State { get; init; }

    public required PeerGroup Primaries { get; init; }

    public PeerGroup Backups { get; init; } = PeerGroup.Empty;

    public required IBalancer Balancer { get; init; }

    /// <summary>Null: clients do not stick.</summary>
    public IAffinity? Affinity { get; init; }

    /// <summary>Answered to a bound client whose peer cannot be used; null: it gets another peer.</summary>
    public int? FailStatus { get; init; }

    /// <summary>Null: a request that finds no peer is answered at once.</summary>
    public QueueSettings? Queue { get; init; }

    /// <summary>Null: peers are not checked.</summary>
    public HealthCheckSettings? HealthCheck { get; init; }

    public bool HasPeers => Primaries.Peers.Length + Backups.Peers.Length > 0;

    public IEnumerable<Peer> Peers => Primaries.Peers.Concat(Backups.Peers);

    public override string ToString() => Name.ToString();
}

/// <summary>Requests that find no peer wait: how many, and how long each.</summary>
public sealed record QueueSettings(int Size, TimeSpan Timeout);
