using StickyIngress.Tests.Clusters;

namespace StickyIngress.Tests.Containers;

/// <summary>The suite on K3s, with the rights of the chart's role alone.</summary>
public sealed class K3sClusterTests(K3sServer k3s) : ClusterSuite, IClassFixture<K3sServer>
{
    protected override async Task<TestCluster> StartAsync()
    {
        await k3s.Admin.ClearAsync("web");
        return TestCluster.On(k3s, K3sServer.Address);
    }

    /// <summary>As with every real server: one that is away takes no writes.</summary>
    protected override async Task ChangeWhileAwayAsync(TestCluster cluster, int port)
    {
        await cluster.Server.UpAsync();
        await cluster.PutSliceAsync("shop", port);
    }
}
