using System.Net;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using StickyIngress.Testing;

namespace StickyIngress.Tests;

/// <summary>The process with an API server: what users do there, what becomes of it, and what the API server may do to us.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ClusterTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Resources_are_created_changed_broken_mended_and_deleted()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        await using var cluster = await TestCluster.StartAsync();
        cluster.PutService("shop", servers[0].EndPoint.Port);
        await using var process = await cluster.ServeAsync();
        await AnswersAsync(process, 404, null);

        cluster.Fake.Store.Put(TestCluster.Upstream("shop", "web"));
        await AnswersAsync(process, 200, "a");
        await cluster.HasConditionAsync("Programmed", "True");

        cluster.PutSlice("shop", servers[1].EndPoint.Port);
        await AnswersAsync(process, 200, "b");

        cluster.Fake.Store.Put(TestCluster.Upstream("shop", "nothing"));
        await cluster.HasConditionAsync("ResolvedRefs", "False");
        cluster.Fake.Store.Put(TestCluster.Upstream("shop", "web"));
        await cluster.HasConditionAsync("ResolvedRefs", "True");
        await AnswersAsync(process, 200, "b");

        cluster.Fake.Store.Delete("StickyUpstream", "web", "shop");
        await AnswersAsync(process, 404, null);
    }

    [Fact]
    public async Task Without_its_API_server_it_serves_stays_ready_and_catches_up()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        await using var cluster = await TestCluster.StartAsync();
        cluster.PutService("shop", servers[0].EndPoint.Port);
        cluster.Fake.Store.Put(TestCluster.Upstream("shop", "web"));
        await using var process = await cluster.ServeAsync();
        await AnswersAsync(process, 200, "a");
        await using var load = Load.On(process, "/shop", clients: 4);
        await load.AnswersAsync(50);

        await cluster.Fake.DownAsync();
        cluster.PutSlice("shop", servers[1].EndPoint.Port);
        await load.AnswersAsync(200);
        using (var ready = await process.Admin.GetAsync("/readyz", Stop)) Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        await cluster.Fake.UpAsync();
        await AnswersAsync(process, 200, "b");
        await load.EndAsync();

        Assert.Empty(load.Failures);
        Assert.Contains(await process.MetricsAsync(), line => line.StartsWith("stickyingress_watch_restarts_total{kind=\"EndpointSlice\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_start_without_the_API_server_serves_what_was_kept()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        await using var cluster = await TestCluster.StartAsync();
        cluster.PutService("shop", servers[0].EndPoint.Port);
        cluster.Fake.Store.Put(TestCluster.Upstream("shop", "web"));
        var kept = Path.Combine(cluster.Folder, "kept");
        await using (var first = await cluster.ServeAsync("--cache-dir", kept))
        {
            await AnswersAsync(first, 200, "a");
            Assert.Equal(0, await first.StopAsync());
        }

        await cluster.Fake.DownAsync();
        await using var second = await cluster.ServeAsync("--cache-dir", kept);
        await AnswersAsync(second, 200, "a");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(kept, "resources.jsonl")));

        cluster.PutSlice("shop", servers[1].EndPoint.Port);
        await cluster.Fake.UpAsync();
        await AnswersAsync(second, 200, "b");
    }

    [Theory]
    [InlineData("rbac.yaml")]
    [InlineData("rbac-namespace.yaml", "--namespace", "web")]
    public async Task The_role_allows_what_is_asked_of_the_API_server_and_nothing_else(string manifest, params string[] more)
    {
        await using var cluster = await TestCluster.StartAsync();
        cluster.Fake.StreamsLists = false;
        var front = FakeObjects.Service("web", "front", ("http", 80));
        front["status"] = JsonNode.Parse("""{"loadBalancer":{"ingress":[{"ip":"192.0.2.1"}]}}""");
        cluster.Fake.Store.Put(front);
        cluster.Fake.Store.Put(FakeObjects.IngressClass("sticky"));
        cluster.Fake.Store.Put(FakeObjects.Ingress("web", "shop", "sticky", "shop-tls"));
        cluster.Fake.Store.Put(TestCluster.Upstream("shop", "nothing"));
        var allowed = Rbac.Uses(manifest);
        // The one kind that belongs to the whole cluster; where it is hidden, names of classes are trusted.
        IEnumerable<string> Used() => cluster.Fake.Uses.Where(use => more.Length == 0 || use.Resource != "ingressclasses")
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

    private static Task AnswersAsync(StickyProcess process, int status, string? name) => Eventually.HoldsAsync(
        async () =>
        {
            using var response = await process.Client.GetAsync("/shop", Stop);
            return (int)response.StatusCode == status && (name is null || await response.Content.ReadAsStringAsync(Stop) == name);
        },
        $"/shop is answered {status} {name}", Stop);
}
