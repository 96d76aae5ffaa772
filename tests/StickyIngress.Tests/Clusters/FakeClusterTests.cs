using System.Text.Json.Nodes;
using StickyIngress.Testing;

namespace StickyIngress.Tests.Clusters;

/// <summary>The suite on the fake API server, and what only that one can show.</summary>
public sealed class FakeClusterTests : ClusterSuite
{
    [Theory]
    [InlineData("rbac.yaml")]
    [InlineData("rbac-namespace.yaml", "--namespace", "web")]
    public async Task The_role_allows_what_is_asked_of_the_API_server_and_nothing_else(string manifest, params string[] more)
    {
        await using var cluster = await StartAsync();
        var fake = (FakeApiServer)cluster.Server;
        fake.StreamsLists = false;
        var front = FakeObjects.Service("web", "front", ("http", 80));
        front["status"] = JsonNode.Parse("""{"loadBalancer":{"ingress":[{"ip":"192.0.2.1"}]}}""");
        fake.Store.Put(front);
        fake.Store.Put(FakeObjects.IngressClass("sticky"));
        fake.Store.Put(FakeObjects.Ingress("web", "shop", "sticky", "shop-tls"));
        fake.Store.Put(TestCluster.Upstream("shop", "nothing"));
        var allowed = Rbac.Uses(manifest);
        // The one kind that belongs to the whole cluster; where it is hidden, names of classes are trusted.
        IEnumerable<string> Used() => fake.Uses.Where(use => more.Length == 0 || use.Resource != "ingressclasses")
            .Select(use => Rbac.Use(use.Verb, use.Group, use.Subresource.Length == 0 ? use.Resource : $"{use.Resource}/{use.Subresource}")).Distinct();

        await using var process = await cluster.ServeAsync(["--publish-service", "web/front", .. more]);
        await Eventually.HoldsAsync(() => allowed.Except(Used()).All(use => use.StartsWith("update", StringComparison.Ordinal)), "all but the renewal is used", Stop);
        Assert.Equal(0, await process.StopAsync());

        Assert.Equal(allowed.Order(), Used().Order());
    }

    [Fact]
    public async Task A_kubeconfig_that_cannot_be_read_is_told_in_a_sentence()
    {
        var ended = await StickyProcess.RunAsync(["run", "--kubernetes", "--kubeconfig", "/nowhere/config"]);

        Assert.Equal(1, ended.Code);
        Assert.StartsWith("the kubeconfig /nowhere/config cannot be used: ", ended.Error, StringComparison.Ordinal);
    }

    protected override Task<TestCluster> StartAsync() => TestCluster.StartAsync();

    protected override async Task ChangeWhileAwayAsync(TestCluster cluster, int port)
    {
        await cluster.PutSliceAsync("shop", port);
        await cluster.Server.UpAsync();
    }
}
