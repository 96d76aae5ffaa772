using System.Net;
using System.Text.Json.Nodes;
using StickyIngress.Testing;
using StickyIngress.Testing.ApiServers;

namespace StickyIngress.Tests.Clusters;

/// <summary>The process with an API server: what users do there, what becomes of it, and what the API server may do to us.</summary>
public abstract class ClusterSuite
{
    protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Resources_are_created_changed_broken_mended_and_deleted()
    {
        await using var cluster = await StartAsync();
        await using var servers = await cluster.BackendsAsync("a", "b");
        await cluster.PutServiceAsync("shop", servers[0].EndPoint.Port);
        await using var process = await cluster.ServeAsync();
        await AnswersAsync(process, 404, null);

        await cluster.Server.PutAsync(TestCluster.Upstream("shop", "web"));
        await AnswersAsync(process, 200, "a");
        await cluster.HasConditionAsync("Programmed", "True");

        await cluster.PutSliceAsync("shop", servers[1].EndPoint.Port);
        await AnswersAsync(process, 200, "b");

        await cluster.Server.PutAsync(TestCluster.Upstream("shop", "nothing"));
        await cluster.HasConditionAsync("ResolvedRefs", "False");
        await cluster.Server.PutAsync(TestCluster.Upstream("shop", "web"));
        await cluster.HasConditionAsync("ResolvedRefs", "True");
        await AnswersAsync(process, 200, "b");

        await cluster.Server.DeleteAsync("StickyUpstream", "web", "shop");
        await AnswersAsync(process, 404, null);
    }

    [Fact]
    public async Task A_refusal_is_in_the_status_and_an_event_and_the_former_spec_serves()
    {
        await using var cluster = await StartAsync();
        await using var servers = await cluster.BackendsAsync("a");
        await cluster.PutServiceAsync("shop", servers[0].EndPoint.Port);
        await cluster.Server.PutAsync(TestCluster.Upstream("shop", "web"));
        await using var process = await cluster.ServeAsync();
        await AnswersAsync(process, 200, "a");

        var broken = TestCluster.Upstream("shop", "web");
        broken["spec"]!["balancing"] = JsonNode.Parse("""{"method":"Hash","hash":{"key":"$nothing"}}""");
        await cluster.Server.PutAsync(broken);

        await cluster.HasConditionAsync("Accepted", "False", "UnknownVariable");
        await cluster.HasConditionAsync("Programmed", "False");
        await Eventually.HoldsAsync(
            async () => (await cluster.Server.ListAsync("Event", "web")).Any(it => (string?)it["reason"] == "UnknownVariable" && (string?)it["regarding"]!["name"] == "shop"),
            "an event tells it", Stop);
        await AnswersAsync(process, 200, "a");
    }

    [Fact]
    public async Task Of_two_that_want_one_path_the_newer_is_told()
    {
        await using var cluster = await StartAsync();
        await using var servers = await cluster.BackendsAsync("a");
        await cluster.PutServiceAsync("shop", servers[0].EndPoint.Port);
        await using var process = await cluster.ServeAsync();
        await cluster.Server.PutAsync(TestCluster.Upstream("shop", "web"));
        await cluster.HasConditionAsync("Ready", "True");

        var newer = TestCluster.Upstream("shop", "web");
        newer["metadata"]!["name"] = "stall";
        await cluster.Server.PutAsync(newer);

        await cluster.HasConditionAsync("Accepted", "False", "Conflicted", "stall");
        await cluster.HasConditionAsync("Ready", "True");
    }

    [Fact]
    public async Task An_ingress_of_our_class_is_served_by_its_path_types_and_gets_our_address()
    {
        await using var cluster = await StartAsync();
        await using var servers = await cluster.BackendsAsync("a");
        await cluster.PutServiceAsync("shop", servers[0].EndPoint.Port);
        var front = FakeObjects.Service("web", "front", ("http", 80));
        front["spec"]!["type"] = "LoadBalancer";
        front["status"] = JsonNode.Parse("""{"loadBalancer":{"ingress":[{"ip":"192.0.2.1"}]}}""");
        await cluster.Server.PutAsync(front);
        await cluster.Server.PutAsync(FakeObjects.IngressClass("sticky"));
        await cluster.Server.PutAsync(FakeObjects.StickyUpstream("web", "stall", "web"));
        var ingress = FakeObjects.Ingress("web", "shop", "sticky");
        ((JsonObject)ingress["spec"]!["rules"]![0]!).Remove("host");
        ingress["spec"]!["rules"]![0]!["http"]!["paths"] = JsonNode.Parse("""
            [{"path":"/shop","pathType":"Exact","backend":{"service":{"name":"web","port":{"name":"http"}}}},
             {"path":"/stall","pathType":"Prefix","backend":{"resource":{"apiGroup":"stickyingress.io","kind":"StickyUpstream","name":"stall"}}}]
            """);
        await cluster.Server.PutAsync(ingress);
        await using var process = await cluster.ServeAsync("--publish-service", "web/front");

        await AnswersAsync(process, 200, "a");
        await AnswersAsync(process, 404, null, "/shop/more");
        await AnswersAsync(process, 200, "a", "/stall/more");
        await AnswersAsync(process, 404, null, "/stalls");
        await Eventually.HoldsAsync(
            async () => (string?)(await cluster.Server.FindAsync("Ingress", "web", "shop"))!["status"]?["loadBalancer"]?["ingress"]?[0]?["ip"] == "192.0.2.1",
            "the Ingress has our address", Stop);
    }

    [Fact]
    public async Task Certificates_come_from_Secrets_by_host_and_are_replaced_under_open_connections()
    {
        await using var cluster = await StartAsync();
        await using var servers = await cluster.BackendsAsync("a");
        await cluster.PutServiceAsync("shop", servers[0].EndPoint.Port);
        await cluster.PutCertificateAsync("exact", "shop.example.com");
        await cluster.PutCertificateAsync("wild", "*.example.com");
        var upstream = TestCluster.Upstream("shop", "web");
        upstream["spec"]!["tls"] = JsonNode.Parse("""[{"hosts":["shop.example.com"],"secretName":"exact"},{"hosts":["*.example.com"],"secretName":"wild"}]""");
        await cluster.Server.PutAsync(upstream);
        var https = FreePort.Next();
        await using var process = await cluster.ServeAsync("--https", $"127.0.0.1:{https}");
        await using var shop = await TlsClient.ConnectAsync(https, "shop.example.com");
        await using var stall = await TlsClient.ConnectAsync(https, "stall.example.com");
        Assert.Equal(("CN=shop.example.com", "CN=*.example.com"), (shop.Certificate.Subject, stall.Certificate.Subject));
        Assert.Equal(("a", "a"), (await shop.GetAsync("/shop"), await stall.GetAsync("/shop")));

        await cluster.PutCertificateAsync("exact", "shop.example.com");
        await Eventually.HoldsAsync(
            async () =>
            {
                await using var next = await TlsClient.ConnectAsync(https, "shop.example.com");
                return next.Certificate.Thumbprint != shop.Certificate.Thumbprint;
            },
            "a new connection gets the new certificate", Stop);
        Assert.Equal("a", await shop.GetAsync("/shop"));

        await cluster.Server.DeleteAsync("Secret", "web", "exact");
        await cluster.HasConditionAsync("ResolvedRefs", "False", "SecretNotFound");
        Assert.Equal("a", await shop.GetAsync("/shop"));
    }

    [Fact]
    public async Task Without_its_API_server_it_serves_stays_ready_and_catches_up()
    {
        await using var cluster = await StartAsync();
        await using var servers = await cluster.BackendsAsync("a", "b");
        await cluster.PutServiceAsync("shop", servers[0].EndPoint.Port);
        await cluster.Server.PutAsync(TestCluster.Upstream("shop", "web"));
        await using var process = await cluster.ServeAsync();
        await AnswersAsync(process, 200, "a");
        await using var load = Load.On(process, "/shop", clients: 4);
        await load.AnswersAsync(50);

        await cluster.Server.DownAsync();
        await load.AnswersAsync(200);
        using (var ready = await process.Admin.GetAsync("/readyz", Stop)) Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        await ChangeWhileAwayAsync(cluster, servers[1].EndPoint.Port);
        await AnswersAsync(process, 200, "b");
        await load.EndAsync();

        Assert.Empty(load.Failures);
        Assert.Contains(await process.MetricsAsync(), line => line.StartsWith("stickyingress_watch_restarts_total{kind=\"EndpointSlice\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_start_without_the_API_server_serves_what_was_kept()
    {
        await using var cluster = await StartAsync();
        await using var servers = await cluster.BackendsAsync("a", "b");
        await cluster.PutServiceAsync("shop", servers[0].EndPoint.Port);
        await cluster.Server.PutAsync(TestCluster.Upstream("shop", "web"));
        var kept = Path.Combine(cluster.Folder, "kept");
        await using (var first = await cluster.ServeAsync("--cache-dir", kept))
        {
            await AnswersAsync(first, 200, "a");
            Assert.Equal(0, await first.StopAsync());
        }

        await cluster.Server.DownAsync();
        await using var second = await cluster.ServeAsync("--cache-dir", kept);
        await AnswersAsync(second, 200, "a");
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(kept, "resources.jsonl")));

        await ChangeWhileAwayAsync(cluster, servers[1].EndPoint.Port);
        await AnswersAsync(second, 200, "b");
    }

    [Fact]
    public async Task Stopping_gives_the_lease_back()
    {
        await using var cluster = await StartAsync();
        await using var process = await cluster.ServeAsync();
        await Eventually.HoldsAsync(async () => await HolderAsync() is { Length: > 0 }, "it leads", Stop);

        Assert.Equal(0, await process.StopAsync());

        Assert.Equal("", await HolderAsync());

        async Task<string?> HolderAsync() =>
            (string?)(await cluster.Server.FindAsync("Lease", RealApiServer.ControllerNamespace, "sticky-ingress"))?["spec"]?["holderIdentity"];
    }

    /// <summary>A cluster with nothing in it.</summary>
    protected abstract Task<TestCluster> StartAsync();

    /// <summary>Puts the endpoint of the Service elsewhere and brings the API server back, as early as that server allows.</summary>
    protected abstract Task ChangeWhileAwayAsync(TestCluster cluster, int port);

    protected static Task AnswersAsync(StickyProcess process, int status, string? name, string target = "/shop") => Eventually.HoldsAsync(
        async () =>
        {
            using var response = await process.Client.GetAsync(target, Stop);
            return (int)response.StatusCode == status && (name is null || await response.Content.ReadAsStringAsync(Stop) == name);
        },
        $"{target} is answered {status} {name}", Stop);
}
