using System.Net;

namespace StickyIngress.Settings;

/// <summary>What an operator sets, checked; nothing is left to default here.</summary>
internal sealed record ServeSettings
{
    public required IReadOnlyList<string> Manifests { get; init; }

    public required bool Kubernetes { get; init; }

    public required IPEndPoint Http { get; init; }

    public required IPEndPoint Https { get; init; }

    /// <summary>Null: not listening.</summary>
    public required IPEndPoint? H2c { get; init; }

    public required IPEndPoint Admin { get; init; }

    /// <summary>Who besides this machine may change peers; empty: nobody.</summary>
    public IReadOnlyList<IPNetwork> AdminChangesFrom { get; init; } = [];

    public required IReadOnlyList<IPNetwork> TrustedProxies { get; init; }

    public required string IngressClass { get; init; }

    /// <summary>Empty: all.</summary>
    public required IReadOnlyList<string> Namespaces { get; init; }

    /// <summary>A kubeconfig; null: as kubectl finds one, else the pod's service account.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>The Service whose addresses our Ingresses report, as NAMESPACE/NAME; null: none.</summary>
    public string? PublishService { get; init; }

    /// <summary>Whether replicas agree by a Lease who writes status; without, this one does.</summary>
    public bool LeaderElection { get; init; } = true;

    /// <summary>Name of this replica.</summary>
    public string PodName { get; init; } = Environment.MachineName;

    /// <summary>Where the Lease is.</summary>
    public string PodNamespace { get; init; } = "default";

    /// <summary>A folder that keeps what was read last from the cluster; null: none.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>DNS servers, at least one.</summary>
    public required IReadOnlyList<IPEndPoint> Resolvers { get; init; }

    /// <summary><c>off</c>, <c>json</c>, or a text with variables.</summary>
    public required string AccessLog { get; init; }

    public required LogLevel LogLevel { get; init; }

    /// <summary>A file with the keys of opaque cookies; null: a random key.</summary>
    public required string? AffinityKeys { get; init; }

    /// <summary>Where sessions are kept over a restart; null: they are not.</summary>
    public required string? SessionFile { get; init; }

    public required TimeSpan SessionFileInterval { get; init; }

    /// <summary>Where changes of peers at run time are kept over a restart; null: they are not.</summary>
    public string? State { get; init; }

    /// <summary>The store that replicas share sessions through; null: they do not.</summary>
    public string? SyncStore { get; init; }

    public string? SyncPasswordFile { get; init; }

    public string? SyncCa { get; init; }

    public string SyncPrefix { get; init; } = "sticky-ingress";

    /// <summary>Changes of peers at run time reach all replicas.</summary>
    public bool SyncPeers { get; init; }

    public TimeSpan SyncReadBudget { get; init; } = TimeSpan.FromMilliseconds(10);

    public int SyncMaxReads { get; init; } = 256;

    /// <summary>How long new connections still work after the signal to stop.</summary>
    public required TimeSpan ShutdownGrace { get; init; }

    /// <summary>How long requests that run may take to end after that.</summary>
    public required TimeSpan DrainTimeout { get; init; }
}
