using System.Diagnostics;
using System.Text.Json.Nodes;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Testing;

namespace StickyIngress.Kubernetes.Tests;

public sealed class ClusterSourceTests
{
    private static JsonObject[] Shop =>
    [
        FakeObjects.StickyUpstream("web", "shop", "shop"),
        FakeObjects.Service("web", "shop", ("http", 80)),
        FakeObjects.Service("web", "cart", ("http", 80)),
        FakeObjects.Service("web", "user", ("http", 80)),
        FakeObjects.EndpointSlice("web", "shop-b", "shop", "10.0.0.2"),
        FakeObjects.EndpointSlice("web", "shop-a", "shop", "10.0.0.1"),
        FakeObjects.EndpointSlice("web", "cart-a", "cart", "10.0.1.1"),
        FakeObjects.Ingress("web", "front", "sticky"),
        FakeObjects.IngressClass("sticky"),
    ];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task First_set_holds_all_that_there_is(bool streams)
    {
        await using var cluster = await WatchedCluster.PrepareAsync(Shop);
        cluster.Fake.StreamsLists = streams;
        cluster.Start();

        var set = await cluster.FirstAsync();

        Assert.Equal(1, set.Version);
        Assert.Null(set.Changed);
        Assert.Empty(set.Diagnostics);
        Assert.Equal("shop", Assert.Single(set.Upstreams[Refs.Upstream("web", "shop")].Spec.Servers).Service!.Name);
        Assert.Equal(3, set.Services.Count);
        Assert.Equal(["shop-a", "shop-b"], set.EndpointSlices[Refs.Service("web", "shop")].Select(slice => slice.Metadata.Name));
        Assert.Equal("shop.example.com", Assert.Single(set.Ingresses[Refs.Ingress("web", "front")].Rules).Host);
        Assert.Equal("stickyingress.io/controller", Assert.Single(set.IngressClasses).Value.Controller);
        Assert.Contains(1, cluster.Observer.EndpointSets);
    }

    [Fact]
    public async Task Change_of_a_slice_touches_its_service_and_nothing_else()
    {
        await using var cluster = await WatchedCluster.StartAsync(Shop);
        var first = await cluster.FirstAsync();

        cluster.Fake.Store.Put(FakeObjects.EndpointSlice("web", "shop-a", "shop", "10.0.0.1", "10.0.0.9"));
        var next = await cluster.UntilAsync(set => set.Version > first.Version);

        Assert.Equal([Refs.Service("web", "shop")], next.Changed!);
        Assert.Same(first.Services[Refs.Service("web", "shop")], next.Services[Refs.Service("web", "shop")]);
        Assert.Equal(first.EndpointSlices[Refs.Service("web", "cart")], next.EndpointSlices[Refs.Service("web", "cart")]);
        Assert.Same(first.EndpointSlices[Refs.Service("web", "shop")][1], next.EndpointSlices[Refs.Service("web", "shop")][1]);
        Assert.Equal(["10.0.0.1", "10.0.0.9"], next.EndpointSlices[Refs.Service("web", "shop")][0].Endpoints.Select(it => it.Address));
    }

    [Fact]
    public async Task Deleted_objects_go()
    {
        await using var cluster = await WatchedCluster.StartAsync(Shop);
        await cluster.FirstAsync();

        cluster.Fake.Store.Delete("Service", "web", "cart");
        cluster.Fake.Store.Delete("EndpointSlice", "web", "cart-a");

        await cluster.UntilAsync(set => !set.Services.ContainsKey(Refs.Service("web", "cart")) && !set.EndpointSlices.ContainsKey(Refs.Service("web", "cart")));
    }

    [Fact]
    public async Task Write_that_says_nothing_new_makes_no_set()
    {
        await using var cluster = await WatchedCluster.StartAsync(Shop);
        var first = await cluster.FirstAsync();
        var slice = FakeObjects.EndpointSlice("web", "shop-a", "shop", "10.0.0.1");
        slice["metadata"]!["annotations"] = new JsonObject { ["endpoints.kubernetes.io/last-change-trigger-time"] = "now" };
        cluster.Fake.Store.Put(slice);
        cluster.Fake.Store.Put(FakeObjects.Service("web", "last", ("http", 80)));

        var next = await cluster.UntilAsync(set => set.Services.ContainsKey(Refs.Service("web", "last")));

        Assert.Same(first.EndpointSlices[Refs.Service("web", "shop")][0], next.EndpointSlices[Refs.Service("web", "shop")][0]);
    }

    // Without streaming lists the fault meets the watch that follows a good list; with them it meets the list.
    [Theory]
    [InlineData(FaultKind.Hang, "list", false)]
    [InlineData(FaultKind.Hang, "watch", false)]
    [InlineData(FaultKind.Hang, "watch", true)]
    [InlineData(FaultKind.Silent, "watch", false)]
    [InlineData(FaultKind.Silent, "watch", true)]
    [InlineData(FaultKind.CutMidEvent, "watch", false)]
    [InlineData(FaultKind.CutMidEvent, "watch", true)]
    [InlineData(FaultKind.EmptyWatch, "watch", false)]
    [InlineData(FaultKind.EmptyWatch, "watch", true)]
    [InlineData(FaultKind.Slow, "list", false)]
    [InlineData(FaultKind.Slow, "watch", false)]
    [InlineData(FaultKind.Slow, "watch", true)]
    [InlineData(FaultKind.Gone, "list", false)]
    [InlineData(FaultKind.Gone, "watch", false)]
    [InlineData(FaultKind.Gone, "watch", true)]
    [InlineData(FaultKind.GoneEvent, "watch", false)]
    [InlineData(FaultKind.GoneEvent, "watch", true)]
    [InlineData(FaultKind.Garbage, "watch", false)]
    [InlineData(FaultKind.Garbage, "watch", true)]
    [InlineData(FaultKind.Spoilt, "watch", false)]
    [InlineData(FaultKind.Spoilt, "watch", true)]
    [InlineData(FaultKind.Page, "list", false)]
    [InlineData(FaultKind.Page, "watch", false)]
    [InlineData(FaultKind.Page, "watch", true)]
    [InlineData(FaultKind.Status, "list", false)]
    [InlineData(FaultKind.Status, "watch", false)]
    [InlineData(FaultKind.Status, "watch", true)]
    public async Task Nothing_is_lost_by_a_fault(FaultKind kind, string verb, bool streams)
    {
        await using var cluster = await WatchedCluster.PrepareAsync(Shop);
        cluster.Fake.StreamsLists = streams;
        cluster.Fake.Add(new(kind) { Verb = verb, Resource = "services", Times = 2 });
        cluster.Fake.Add(new(kind) { Verb = verb, Resource = "endpointslices", Times = 2 });
        cluster.Start();
        var first = await cluster.FirstAsync();

        cluster.Fake.Store.Put(FakeObjects.Service("web", "late", ("http", 80)));
        cluster.Fake.Store.Delete("Service", "web", "user");
        cluster.Fake.Store.Put(FakeObjects.EndpointSlice("web", "shop-c", "shop", "10.0.0.3"));
        var last = await cluster.UntilAsync(set =>
            set.Services.ContainsKey(Refs.Service("web", "late")) && !set.Services.ContainsKey(Refs.Service("web", "user"))
            && set.EndpointSlices[Refs.Service("web", "shop")].Length == 3);

        Assert.True(cluster.Fake.FaultsMet >= 2, $"{cluster.Fake.FaultsMet} faults were met");
        Assert.Same(first.Services[Refs.Service("web", "shop")], last.Services[Refs.Service("web", "shop")]);
        Assert.Same(first.EndpointSlices[Refs.Service("web", "shop")][0], last.EndpointSlices[Refs.Service("web", "shop")][0]);
    }

    [Fact]
    public async Task Continue_token_that_expired_means_to_list_again()
    {
        await using var cluster = await WatchedCluster.PrepareAsync(Shop);
        cluster.Fake.StreamsLists = false;
        cluster.Fake.Add(new(FaultKind.Gone) { Resource = "services", Continued = true });
        cluster.Start();

        var set = await cluster.FirstAsync();

        Assert.Equal(3, set.Services.Count);
        Assert.Contains(("Service", WatchRestart.Expired), cluster.Observer.Restarts);
    }

    [Theory]
    [InlineData(FaultKind.Gone, true)]
    [InlineData(FaultKind.Gone, false)]
    [InlineData(FaultKind.GoneEvent, true)]
    [InlineData(FaultKind.GoneEvent, false)]
    public async Task Version_that_is_gone_means_to_list_without_waiting(FaultKind kind, bool streams)
    {
        await using var cluster = await WatchedCluster.PrepareAsync(Shop);
        cluster.Options.Watch = cluster.Options.Watch with
        {
            FirstRetry = TimeSpan.FromHours(1),
            LastRetry = TimeSpan.FromHours(1),
            Silence = TimeSpan.FromMinutes(1),
            Life = TimeSpan.FromSeconds(1),
        };
        cluster.Fake.StreamsLists = streams;
        cluster.Start();
        await cluster.FirstAsync();

        cluster.Fake.Add(new(kind) { Verb = "watch", Resource = "services" });
        await Eventually.IsTrueAsync(() => cluster.Observer.Restarts.Contains(("Service", WatchRestart.Expired)));
        cluster.Fake.Store.Put(FakeObjects.Service("web", "late", ("http", 80)));

        await cluster.UntilAsync(set => set.Services.ContainsKey(Refs.Service("web", "late")));
    }

    [Fact]
    public async Task Server_that_overlooks_streaming_lists_is_listed_by_pages()
    {
        await using var cluster = await WatchedCluster.PrepareAsync(Shop);
        cluster.Fake.OverlooksStreaming = true;
        cluster.Start();
        var bookmarks = Task.Run(async () =>
        {
            while (cluster.Sets.Count == 0)
            {
                cluster.Fake.SendBookmarks();
                await Task.Delay(20);
            }
        });

        var set = await cluster.FirstAsync();
        await bookmarks;

        Assert.Equal(3, set.Services.Count);
        Assert.Contains(cluster.Fake.Requests, request => request is { Verb: "list", Resource: "services", IsContinued: true });
    }

    [Fact]
    public async Task Stale_list_is_caught_up_by_the_watch()
    {
        await using var cluster = await WatchedCluster.PrepareAsync(Shop);
        var past = cluster.Fake.Store.State;
        cluster.Fake.Store.Put(FakeObjects.Service("web", "late", ("http", 80)));
        cluster.Fake.StreamsLists = false;
        cluster.Fake.Add(new(FaultKind.Stale) { Verb = "list", Resource = "services", Past = past, Times = 2 });
        cluster.Start();

        var set = await cluster.UntilAsync(it => it.Services.ContainsKey(Refs.Service("web", "late")));

        Assert.Equal(4, set.Services.Count);
    }

    [Fact]
    public async Task Outage_keeps_what_was_read_and_then_brings_what_changed()
    {
        await using var cluster = await WatchedCluster.StartAsync(Shop);
        var first = await cluster.FirstAsync();

        await cluster.Fake.DownAsync();
        cluster.Fake.Store.Put(FakeObjects.Service("web", "late", ("http", 80)));
        cluster.Fake.Store.Delete("Service", "web", "user");
        cluster.Fake.Store.Compact();
        await Eventually.IsTrueAsync(() => cluster.Observer.Restarts.Contains(("Service", WatchRestart.Failed)));
        Assert.Single(cluster.Sets);
        await cluster.Fake.UpAsync();

        var last = await cluster.UntilAsync(set => set.Services.ContainsKey(Refs.Service("web", "late")) && !set.Services.ContainsKey(Refs.Service("web", "user")));
        Assert.Same(first.Services[Refs.Service("web", "shop")], last.Services[Refs.Service("web", "shop")]);
        Assert.Same(first.Upstreams[Refs.Upstream("web", "shop")], last.Upstreams[Refs.Upstream("web", "shop")]);
        Assert.Equal(first.EndpointSlices[Refs.Service("web", "shop")], last.EndpointSlices[Refs.Service("web", "shop")]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Server_that_is_restored_with_lower_versions_is_believed(bool streams)
    {
        await using var cluster = await WatchedCluster.PrepareAsync(Shop);
        cluster.Fake.StreamsLists = streams;
        var backup = cluster.Fake.Store.State;
        cluster.Fake.Store.Put(FakeObjects.Service("web", "shop", ("http", 81)));
        cluster.Fake.Store.Put(FakeObjects.Service("web", "lost", ("http", 80)));
        cluster.Start();
        await cluster.FirstAsync();

        await cluster.Fake.DownAsync();
        cluster.Fake.Store.Restore(backup);

        // The same version as before the restore, with another content.
        cluster.Fake.Store.Put(FakeObjects.Service("web", "shop", ("http", 82)));
        await cluster.Fake.UpAsync();

        var last = await cluster.UntilAsync(set => !set.Services.ContainsKey(Refs.Service("web", "lost")));
        Assert.Equal(82, Assert.Single(last.Services[Refs.Service("web", "shop")].Ports).Port);
    }

    // A date has whole seconds and counts from that of the answer, which has too.
    [Theory]
    [InlineData(429, "1", 950)]
    [InlineData(503, "date", 950)]
    [InlineData(429, "0", 0)]
    [InlineData(429, "past", 0)]
    public async Task Retry_after_is_obeyed(int code, string asked, int least)
    {
        await using var cluster = await WatchedCluster.PrepareAsync(Shop);
        var wait = asked switch
        {
            "date" => $"{DateTimeOffset.UtcNow.AddSeconds(3):R}",
            "past" => $"{DateTimeOffset.UtcNow.AddDays(-1):R}",
            _ => asked,
        };
        cluster.Fake.Add(new(FaultKind.Status) { Code = code, RetryAfter = wait, Resource = "services" });
        var watch = Stopwatch.StartNew();
        cluster.Start();

        await cluster.FirstAsync();

        Assert.True(watch.Elapsed >= TimeSpan.FromMilliseconds(least), $"listed after {watch.Elapsed}");
    }

    [Fact]
    public async Task Event_that_cannot_be_read_is_made_up_for_by_a_list()
    {
        await using var cluster = await WatchedCluster.PrepareAsync(Shop);
        cluster.Fake.StreamsLists = false;
        cluster.Fake.Add(new(FaultKind.Spoilt) { Verb = "watch", Resource = "services", Times = 2 });
        cluster.Start();
        await cluster.FirstAsync();

        cluster.Fake.Store.Delete("Service", "web", "user");
        var set = await cluster.UntilAsync(it => !it.Services.ContainsKey(Refs.Service("web", "user")));

        Assert.Contains(("Service", WatchRestart.Unreadable), cluster.Observer.Restarts);
        Assert.Empty(set.Diagnostics);
    }

    [Fact]
    public async Task Object_that_cannot_be_named_is_told_keeps_what_it_was_and_is_not_listed_for_ever()
    {
        await using var cluster = await WatchedCluster.StartAsync(Shop);
        var first = await cluster.FirstAsync();

        var broken = FakeObjects.Service("web", "shop", ("http", 80));
        broken["metadata"]!["annotations"] = "none";
        cluster.Fake.Store.Put(broken);
        var told = await cluster.UntilAsync(set => !set.Diagnostics.IsEmpty);
        var lists = Lists();
        cluster.Fake.Store.Put(FakeObjects.EndpointSlice("web", "cart-b", "cart", "10.0.1.2"));
        await cluster.UntilAsync(set => set.EndpointSlices[Refs.Service("web", "cart")].Length == 2);

        Assert.Equal(Reasons.Unreadable, Assert.Single(told.Diagnostics).Reason);
        Assert.Same(first.Services[Refs.Service("web", "shop")], told.Services[Refs.Service("web", "shop")]);
        Assert.Equal(lists, Lists());

        cluster.Fake.Store.Put(FakeObjects.Service("web", "shop", ("http", 81)));
        cluster.Fake.Store.Delete("Service", "web", "user");
        var mended = await cluster.UntilAsync(set => set.Diagnostics.IsEmpty);
        Assert.Equal(81, Assert.Single(mended.Services[Refs.Service("web", "shop")].Ports).Port);
        Assert.False(mended.Services.ContainsKey(Refs.Service("web", "user")));

        int Lists() => cluster.Fake.Requests.Count(request => request is { Verb: "list", Resource: "services", IsContinued: false });
    }

    [Fact]
    public async Task Page_of_HTML_for_a_watch_is_no_reason_to_ask_again_at_once()
    {
        await using var cluster = await WatchedCluster.PrepareAsync(Shop);
        cluster.Fake.StreamsLists = false;
        cluster.Fake.Add(new(FaultKind.Page) { Verb = "watch", Resource = "services", Times = 20 });
        var watch = Stopwatch.StartNew();
        cluster.Start();

        await Eventually.IsTrueAsync(() => cluster.Fake.FaultsMet == 20);

        // At least half of the longest wait between most of them.
        Assert.True(watch.Elapsed >= TimeSpan.FromMilliseconds(400), $"asked 20 times within {watch.Elapsed}");
    }

    [Fact]
    public async Task Object_that_cannot_be_read_is_told_and_keeps_its_last_good_version()
    {
        await using var cluster = await WatchedCluster.StartAsync(Shop);
        var first = await cluster.FirstAsync();

        var broken = FakeObjects.Service("web", "shop", ("http", 80));
        broken["spec"]!["ports"] = "none";
        cluster.Fake.Store.Put(broken);
        var told = await cluster.UntilAsync(set => !set.Diagnostics.IsEmpty);

        var found = Assert.Single(told.Diagnostics);
        Assert.Equal((Reasons.Unreadable, Refs.Service("web", "shop")), (found.Reason, found.Resource!.Value));
        Assert.Same(first.Services[Refs.Service("web", "shop")], told.Services[Refs.Service("web", "shop")]);

        cluster.Fake.Store.Put(FakeObjects.Service("web", "shop", ("http", 81)));
        var mended = await cluster.UntilAsync(set => set.Diagnostics.IsEmpty);
        Assert.Equal(81, Assert.Single(mended.Services[Refs.Service("web", "shop")].Ports).Port);
    }

    [Fact]
    public async Task Unknown_field_is_a_diagnostic_of_its_resource()
    {
        var upstream = FakeObjects.StickyUpstream("web", "typo", "shop");
        upstream["spec"]!["serverz"] = 1;
        await using var cluster = await WatchedCluster.StartAsync([.. Shop, upstream]);

        var set = await cluster.FirstAsync();

        Assert.Contains(set.Diagnostics, found => found.Resource == Refs.Upstream("web", "typo") && found.Field == "spec.serverz");
        Assert.True(set.Upstreams.ContainsKey(Refs.Upstream("web", "shop")));
    }

    [Fact]
    public async Task Namespaces_are_watched_by_themselves()
    {
        await using var cluster = await WatchedCluster.PrepareAsync([.. Shop, FakeObjects.Service("other", "shop", ("http", 80)), FakeObjects.Service("api", "shop", ("http", 80))]);
        cluster.Options.Namespaces = ["web", "api"];
        cluster.Start();

        var set = await cluster.FirstAsync();

        Assert.Equal(["api", "web", "web", "web"], set.Services.Keys.Select(named => named.Namespace).Order());
        Assert.Equal(["ingressclasses"], cluster.Fake.Uses.Where(use => !use.Namespaced).Select(use => use.Resource).Distinct());
    }

    [Fact]
    public async Task Forbidden_ingress_classes_are_a_diagnostic_until_they_are_allowed()
    {
        await using var cluster = await WatchedCluster.PrepareAsync(Shop);
        cluster.Fake.Add(new(FaultKind.Status) { Code = 403, Resource = "ingressclasses", Times = int.MaxValue });
        cluster.Start();

        var set = await cluster.FirstAsync();
        Assert.Equal(ClusterReasons.WatchForbidden, Assert.Single(set.Diagnostics).Reason);
        Assert.Empty(set.IngressClasses);

        cluster.Fake.Mend();
        await cluster.UntilAsync(it => it.Diagnostics.IsEmpty && it.IngressClasses.Count == 1);
    }

    [Fact]
    public async Task Only_secrets_that_our_resources_name_are_read()
    {
        await using var cluster = await WatchedCluster.StartAsync(
            [
                .. Shop,
                FakeObjects.StickyUpstream("web", "secure", "shop", "shop-tls"),
                FakeObjects.Ingress("web", "foreign", "nginx", "foreign-tls"),
                FakeObjects.Secret("web", "shop-tls", ("tls.crt", [1, 2, 3])),
                FakeObjects.Secret("web", "foreign-tls"),
                FakeObjects.Secret("web", "password"),
            ]);

        var set = await cluster.FirstAsync();
        Assert.Equal([Refs.Secret("web", "shop-tls")], set.Secrets.Keys);
        Assert.Equal([1, 2, 3], set.Secrets[Refs.Secret("web", "shop-tls")].Data["tls.crt"].ToArray());
        Assert.All(cluster.Fake.Requests.Where(it => it.Resource == "secrets"), it => Assert.Contains("shop-tls", it.Query, StringComparison.Ordinal));

        cluster.Fake.Store.Put(FakeObjects.StickyUpstream("web", "secure", "shop"));
        await cluster.UntilAsync(it => it.Secrets.Count == 0);
    }

    [Fact]
    public async Task Forbidden_secret_is_a_diagnostic_and_the_rest_serves()
    {
        await using var cluster = await WatchedCluster.PrepareAsync([.. Shop, FakeObjects.StickyUpstream("web", "secure", "shop", "shop-tls")]);
        cluster.Fake.Add(new(FaultKind.Status) { Code = 403, Resource = "secrets", Times = int.MaxValue });
        cluster.Start();

        var set = await cluster.FirstAsync();

        Assert.Equal((ClusterReasons.WatchForbidden, Refs.Secret("web", "shop-tls")), (set.Diagnostics.Single().Reason, set.Diagnostics.Single().Resource!.Value));
        Assert.Equal(2, set.Upstreams.Count);
    }

    [Fact]
    public async Task Silent_watch_is_cut_and_what_it_hid_arrives()
    {
        await using var cluster = await WatchedCluster.PrepareAsync(Shop);
        cluster.Fake.StreamsLists = false;
        cluster.Fake.Add(new(FaultKind.Silent) { Verb = "watch", Resource = "services" });
        cluster.Start();
        await cluster.FirstAsync();
        cluster.Fake.Store.Put(FakeObjects.Service("web", "hidden", ("http", 80)));

        await cluster.UntilAsync(set => set.Services.ContainsKey(Refs.Service("web", "hidden")));

        Assert.Contains(("Service", WatchRestart.Silent), cluster.Observer.Restarts);
    }

    [Fact]
    public async Task Source_asks_for_no_more_than_list_and_watch()
    {
        await using var cluster = await WatchedCluster.StartAsync(Shop);
        await cluster.FirstAsync();

        Assert.Subset(new HashSet<string> { "list", "watch" }, cluster.Fake.Uses.Select(use => use.Verb).ToHashSet());
    }
}
