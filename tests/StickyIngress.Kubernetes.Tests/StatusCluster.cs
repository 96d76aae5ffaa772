using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Sources;
using StickyIngress.Control.Status;
using StickyIngress.Testing;

namespace StickyIngress.Kubernetes.Tests;

/// <summary>A watched cluster with a status writer, which is told that all is well with every resource unless a test says otherwise.</summary>
internal sealed class StatusCluster : IAsyncDisposable
{
    private StatusCluster(WatchedCluster cluster)
    {
        Cluster = cluster;
    }

    public WatchedCluster Cluster { get; }

    public FakeApiServer Fake => Cluster.Fake;

    public LeaderLease Lease { get; private set; } = null!;

    public ClusterStatusWriter Writer { get; private set; } = null!;

    public static async Task<StatusCluster> StartAsync(Action<ClusterOptions>? configure, params JsonObject[] objects) =>
        await StartAsync(await WatchedCluster.PrepareAsync(objects), configure);

    /// <summary>Another replica of the same installation.</summary>
    public Task<StatusCluster> AnotherAsync(string podName, Action<ClusterOptions>? configure) => StartAsync(Cluster.Another(podName), configure);

    private static async Task<StatusCluster> StartAsync(WatchedCluster cluster, Action<ClusterOptions>? configure)
    {
        var status = new StatusCluster(cluster);
        configure?.Invoke(status.Cluster.Options);
        status.Cluster.Start();
        await status.Cluster.FirstAsync();
        status.Lease = new(status.Cluster.Server, status.Cluster.Options, TimeProvider.System, new Random(2), NullLogger<LeaderLease>.Instance);
        status.Writer = new(
            status.Cluster.Server, status.Cluster.Source, status.Lease, status.Cluster.Options, TimeProvider.System, new Random(3),
            NullLogger<ClusterStatusWriter>.Instance);
        await status.Lease.StartAsync(CancellationToken.None);
        await status.Writer.StartAsync(CancellationToken.None);
        return status;
    }

    /// <summary>As after a publish of that set: every resource is well but for these findings.</summary>
    public Task PublishAsync(ResourceSet set, PeersStatus? peers, params Diagnostic[] findings)
    {
        var upstreams = set.Upstreams.Values.Select(upstream => Of(upstream, peers ?? new() { Total = 1, Available = 1 }));
        var ingresses = set.Ingresses.Values.Select(ingress => Of(ingress, null));
        return Writer.WriteAsync([.. upstreams.Concat(ingresses)], CancellationToken.None);

        ResourceStatus Of(Resource resource, PeersStatus? counted)
        {
            var own = findings.Where(found => found.Resource == resource.Ref).ToImmutableArray();
            var refused = own.Any(found => found.Severity == Severity.Error && !Reasons.IsReference(found.Reason));
            return new(resource.Ref, resource.Metadata.Generation, own, Programmed: !refused, counted);
        }
    }

    public IEnumerable<FakeRequest> Writes => Fake.Requests.Where(it => it.Subresource == "status");

    public JsonObject? Condition(string space, string name, string type) =>
        Fake.Store.Find("StickyUpstream", space, name)?["status"]?["conditions"]?.AsArray()
            .Select(it => it!.AsObject()).FirstOrDefault(it => (string?)it["type"] == type);

    public Task UntilConditionAsync(string space, string name, string type, string status) =>
        Eventually.IsTrueAsync(() => (string?)Condition(space, name, type)?["status"] == status);

    public async ValueTask DisposeAsync()
    {
        await Writer.StopAsync(CancellationToken.None);
        await Lease.StopAsync(CancellationToken.None);
        Writer.Dispose();
        Lease.Dispose();
        await Cluster.DisposeAsync();
    }
}
