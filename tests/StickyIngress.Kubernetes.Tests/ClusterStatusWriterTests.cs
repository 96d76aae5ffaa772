using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Sources;
using StickyIngress.Testing;

namespace StickyIngress.Kubernetes.Tests;

public sealed class ClusterStatusWriterTests
{
    private static readonly ResourceRef Shop = Refs.Upstream("web", "shop");

    [Fact]
    public async Task Upstream_that_serves_is_ready()
    {
        await using var status = await StatusCluster.StartAsync(null, FakeObjects.StickyUpstream("web", "shop", "shop"));

        await status.PublishAsync(await status.Cluster.FirstAsync(), new() { Total = 3, Available = 2, Draining = 1 });
        await status.UntilConditionAsync("web", "shop", "Ready", "True");

        var written = status.Fake.Store.Find("StickyUpstream", "web", "shop")!["status"]!;
        Assert.Equal(1, (long)written["observedGeneration"]!);
        Assert.Equal(["Accepted", "ResolvedRefs", "Programmed", "Ready"], written["conditions"]!.AsArray().Select(it => (string)it!["type"]!));
        Assert.Equal((3, 2, 1, 0), ((int)written["peers"]!["total"]!, (int)written["peers"]!["available"]!, (int)written["peers"]!["draining"]!, (int)written["peers"]!["unavailable"]!));
        Assert.Matches("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$", (string)status.Condition("web", "shop", "Ready")!["lastTransitionTime"]!);
    }

    [Theory]
    [InlineData("None", null)]
    [InlineData("Cookie", """{"cookie":{"name":"srv_id"}}""")]
    [InlineData("Route", """{"route":{"from":["$arg_server"]}}""")]
    [InlineData("Learn", """{"learn":{"create":["$upstream_cookie_sid"],"lookup":["$cookie_sid"],"maxSessions":100}}""")]
    public async Task Status_says_how_clients_stick(string expected, string? sticky)
    {
        var given = FakeObjects.StickyUpstream("web", "shop", "shop");
        if (sticky is not null) given["spec"]!["sticky"] = System.Text.Json.Nodes.JsonNode.Parse(sticky);
        await using var status = await StatusCluster.StartAsync(null, given);

        await status.PublishAsync(await status.Cluster.FirstAsync(), null);
        await status.UntilConditionAsync("web", "shop", "Ready", "True");

        Assert.Equal(expected, (string?)status.Fake.Store.Find("StickyUpstream", "web", "shop")!["status"]!["sticky"]);
    }

    [Theory]
    [InlineData("InvalidHost", "Accepted", "False", "True", "False")]
    [InlineData("Conflicted", "Accepted", "False", "True", "False")]
    [InlineData("ServiceNotFound", "ResolvedRefs", "True", "False", "True")]
    [InlineData("SecretNotFound", "ResolvedRefs", "True", "False", "True")]
    public async Task Error_shows_in_its_condition_and_makes_not_ready(string reason, string type, string accepted, string resolved, string programmed)
    {
        await using var status = await StatusCluster.StartAsync(null, FakeObjects.StickyUpstream("web", "shop", "shop"));

        await status.PublishAsync(await status.Cluster.FirstAsync(), null, new Diagnostic(Severity.Error, reason, Shop, "spec.x", "it is wrong"));
        await status.UntilConditionAsync("web", "shop", "Ready", "False");

        Assert.Equal((accepted, resolved, programmed), (Status("Accepted"), Status("ResolvedRefs"), Status("Programmed")));
        Assert.Equal((reason, "spec.x: it is wrong"), ((string?)status.Condition("web", "shop", type)!["reason"], (string?)status.Condition("web", "shop", type)!["message"]));
        Assert.Equal(reason, (string?)status.Condition("web", "shop", "Ready")!["reason"]);

        string? Status(string condition) => (string?)status.Condition("web", "shop", condition)!["status"];
    }

    [Fact]
    public async Task Status_is_written_once_per_generation_however_often_it_is_told()
    {
        var names = Enumerable.Range(0, 20).Select(i => $"shop-{i}").ToArray();
        await using var status = await StatusCluster.StartAsync(
            options => options.Status = options.Status with { WritesPerSecond = 1000 },
            [.. names.Select(name => FakeObjects.StickyUpstream("web", name, "shop"))]);
        var set = await status.Cluster.FirstAsync();

        for (var i = 0; i < 10; i++) await status.PublishAsync(set, null);
        foreach (var name in names) await status.UntilConditionAsync("web", name, "Ready", "True");
        for (var i = 0; i < 10; i++) await status.PublishAsync(set, null);

        // An object that comes last shows that all before it were looked at.
        status.Fake.Store.Put(FakeObjects.StickyUpstream("web", "last", "shop"));
        await status.PublishAsync(await status.Cluster.UntilAsync(it => it.Upstreams.Count == 21), null);
        await status.UntilConditionAsync("web", "last", "Ready", "True");

        Assert.Equal(21, status.Writes.Count());
        Assert.All(status.Writes.GroupBy(it => it.Name), writes => Assert.Single(writes));
        Assert.All(status.Cluster.Sets.Skip(1), it => Assert.Equal([Refs.Upstream("web", "last")], it.Changed!));
    }

    [Fact]
    public async Task Transition_time_stays_while_the_status_of_a_condition_does()
    {
        var given = FakeObjects.StickyUpstream("web", "shop", "shop");
        given["status"] = System.Text.Json.Nodes.JsonNode.Parse(
            """{"conditions":[{"type":"Accepted","status":"True","reason":"Accepted","message":"","lastTransitionTime":"2020-01-01T00:00:00Z"}]}""");
        await using var status = await StatusCluster.StartAsync(null, given);

        await status.PublishAsync(await status.Cluster.FirstAsync(), null);
        await status.UntilConditionAsync("web", "shop", "Ready", "True");

        Assert.Equal("2020-01-01T00:00:00Z", (string?)status.Condition("web", "shop", "Accepted")!["lastTransitionTime"]);
        Assert.NotEqual("2020-01-01T00:00:00Z", (string?)status.Condition("web", "shop", "Ready")!["lastTransitionTime"]);
    }

    [Theory]
    [InlineData(409)]
    [InlineData(429)]
    [InlineData(500)]
    public async Task Refused_write_is_tried_again(int code)
    {
        await using var status = await StatusCluster.StartAsync(null, FakeObjects.StickyUpstream("web", "shop", "shop"));
        status.Fake.Add(new(FaultKind.Status) { Code = code, Verb = "patch", Times = 2 });

        await status.PublishAsync(await status.Cluster.FirstAsync(), null);
        await status.UntilConditionAsync("web", "shop", "Ready", "True");

        Assert.Equal(3, status.Writes.Count());
    }

    [Theory]
    [InlineData(FaultKind.Hang)]
    [InlineData(FaultKind.Silent)]
    [InlineData(FaultKind.Page)]
    public async Task Write_whose_answer_does_not_come_or_cannot_be_read_is_tried_again(FaultKind kind)
    {
        await using var status = await StatusCluster.StartAsync(
            options => options.Status = options.Status with { Answer = TimeSpan.FromMilliseconds(300) }, FakeObjects.StickyUpstream("web", "shop", "shop"));
        status.Fake.Add(new(kind) { Verb = "patch" });

        await status.PublishAsync(await status.Cluster.FirstAsync(), null);
        await status.UntilConditionAsync("web", "shop", "Ready", "True");

        Assert.True(status.Writes.Count() >= 2);
    }

    [Fact]
    public async Task Object_that_is_gone_is_not_written_again()
    {
        await using var status = await StatusCluster.StartAsync(
            null, FakeObjects.StickyUpstream("web", "gone", "shop"), FakeObjects.StickyUpstream("web", "shop", "shop"));
        var set = await status.Cluster.FirstAsync();
        status.Fake.Add(new(FaultKind.Status) { Code = 404, Verb = "patch" });

        await status.PublishAsync(set, null);
        await Eventually.IsTrueAsync(() => status.Writes.Count() >= 2);
        await status.PublishAsync(set with { Upstreams = ResourceMap<StickyUpstream>.Empty }, null);
        await Eventually.IsTrueAsync(() => status.Condition("web", "shop", "Ready") is not null || status.Condition("web", "gone", "Ready") is not null);

        Assert.Equal(2, status.Writes.Count());
    }

    [Fact]
    public async Task Counts_of_peers_are_written_at_their_own_pace()
    {
        await using var status = await StatusCluster.StartAsync(
            options => options.Status = options.Status with { PeersInterval = TimeSpan.FromSeconds(1) }, FakeObjects.StickyUpstream("web", "shop", "shop"));
        var set = await status.Cluster.FirstAsync();
        await status.PublishAsync(set, new() { Total = 1, Available = 1 });
        await status.UntilConditionAsync("web", "shop", "Ready", "True");

        for (var total = 2; total <= 50; total++) await status.PublishAsync(set, new() { Total = total, Available = total });
        await Eventually.IsTrueAsync(() => (int)status.Fake.Store.Find("StickyUpstream", "web", "shop")!["status"]!["peers"]!["total"]! == 50);

        Assert.Equal(2, status.Writes.Count());
    }

    [Fact]
    public async Task Status_that_somebody_else_changed_is_put_right()
    {
        await using var status = await StatusCluster.StartAsync(null, FakeObjects.StickyUpstream("web", "shop", "shop"));
        await status.PublishAsync(await status.Cluster.FirstAsync(), null);
        await status.UntilConditionAsync("web", "shop", "Ready", "True");

        var changed = status.Fake.Store.Find("StickyUpstream", "web", "shop")!;
        changed["status"]!["conditions"] = new System.Text.Json.Nodes.JsonArray();
        status.Fake.Store.Put(changed);

        await Eventually.IsTrueAsync(() => status.Writes.Count() == 2);
        await status.UntilConditionAsync("web", "shop", "Ready", "True");
    }

    [Fact]
    public async Task Refusal_is_told_as_one_event()
    {
        await using var status = await StatusCluster.StartAsync(null, FakeObjects.StickyUpstream("web", "shop", "shop"));
        var set = await status.Cluster.FirstAsync();
        var refusal = new Diagnostic(Severity.Error, "InvalidHost", Shop, "spec.routes[0].hosts[0]", "it is no host name");

        await status.PublishAsync(set, null, refusal);
        await Eventually.IsTrueAsync(() => Events(status).Count == 1);
        await status.PublishAsync(set, null, refusal);
        await status.PublishAsync(set, null);
        await status.UntilConditionAsync("web", "shop", "Ready", "True");

        var told = Assert.Single(Events(status)).Read();
        Assert.Equal(("InvalidHost", "Warning", "shop"), ((string?)told["reason"], (string?)told["type"], (string?)told["regarding"]!["name"]));
        Assert.Equal("spec.routes[0].hosts[0]: it is no host name", (string?)told["note"]);
    }

    [Fact]
    public async Task Address_of_the_published_service_is_in_the_status_of_ingresses()
    {
        var service = FakeObjects.Service("ingress", "proxy", ("http", 80));
        service["status"] = System.Text.Json.Nodes.JsonNode.Parse("""{"loadBalancer":{"ingress":[{"ip":"192.0.2.1"},{"hostname":"lb.example.com"}]}}""");
        await using var status = await StatusCluster.StartAsync(
            options => (options.PublishedService, options.Namespaces) = ("ingress/proxy", ["web"]), service, FakeObjects.Ingress("web", "front", "sticky"));
        await status.PublishAsync(await status.Cluster.FirstAsync(), null);

        await Eventually.IsTrueAsync(() => Points().SequenceEqual(["192.0.2.1", "lb.example.com"]));
        Assert.Single(status.Writes);

        service["status"] = System.Text.Json.Nodes.JsonNode.Parse("""{"loadBalancer":{"ingress":[{"ip":"192.0.2.2"}]}}""");
        status.Fake.Store.Put(service);
        await Eventually.IsTrueAsync(() => Points().SequenceEqual(["192.0.2.2"]));

        IEnumerable<string> Points() =>
            status.Fake.Store.Find("Ingress", "web", "front")!["status"]?["loadBalancer"]?["ingress"]?.AsArray()
                .Select(it => (string?)it!["ip"] ?? (string)it!["hostname"]!) ?? [];
    }

    // What the chart's Role and ClusterRole must allow, and no more.
    [Fact]
    public async Task Permissions_used_are_these()
    {
        await using var status = await StatusCluster.StartAsync(
            options => (options.LeaderElection, options.PublishedService) = (true, "web/shop"),
            FakeObjects.StickyUpstream("web", "shop", "shop", "tls"), FakeObjects.Ingress("web", "front", "sticky"),
            FakeObjects.Service("web", "shop", ("http", 80)));
        await status.PublishAsync(await status.Cluster.FirstAsync(), null, new Diagnostic(Severity.Error, "InvalidHost", Shop, "", "wrong"));
        await Eventually.IsTrueAsync(() => Events(status).Count == 1);
        await Eventually.IsTrueAsync(() => status.Fake.Requests.Any(it => it is { Resource: "leases", Verb: "update" }));

        var writes = status.Fake.Uses.Where(use => use.Verb is not ("list" or "watch")).Select(use => $"{use.Verb} {use.Group}/{use.Resource}{(use.Subresource.Length > 0 ? "/" : "")}{use.Subresource}");
        Assert.Equal(
            ["create coordination.k8s.io/leases", "create events.k8s.io/events", "get coordination.k8s.io/leases", "patch stickyingress.io/stickyupstreams/status", "update coordination.k8s.io/leases"],
            writes.Order(StringComparer.Ordinal));
    }

    private static List<FakeObject> Events(StatusCluster status) =>
        status.Fake.Store.State.Objects.TryGetValue(FakeResource.OfKind("Event"), out var events) ? [.. events.Values] : [];
}
