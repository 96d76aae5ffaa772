using Microsoft.Extensions.Logging.Abstractions;
using StickyIngress.Testing;

namespace StickyIngress.Kubernetes.Tests;

public sealed class LeaderLeaseTests
{
    private static readonly LeaseTimes Fast = new()
    {
        Duration = TimeSpan.FromSeconds(2),
        Deadline = TimeSpan.FromSeconds(1),
        Retry = TimeSpan.FromMilliseconds(50),
    };

    [Fact]
    public async Task Leader_that_stops_hands_over_at_once()
    {
        await using var fake = await FakeApiServer.StartAsync();
        using var one = await StartAsync(fake, "one");
        await Eventually.IsTrueAsync(() => one.IsLeader);
        using var two = await StartAsync(fake, "two");
        await Eventually.IsTrueAsync(() => fake.Requests.Count(it => it.Verb == "get") > 10);
        Assert.False(two.IsLeader);

        await one.StopAsync(CancellationToken.None);
        Assert.False(one.IsLeader);
        Assert.Equal("", (string?)fake.Store.Find("Lease", "ingress", "sticky-ingress")!["spec"]!["holderIdentity"]);
        await Eventually.IsTrueAsync(() => two.IsLeader);

        await two.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Leader_that_cannot_renew_steps_down_before_another_may_take_over()
    {
        await using var fake = await FakeApiServer.StartAsync();
        using var one = await StartAsync(fake, "one");
        await Eventually.IsTrueAsync(() => one.IsLeader);

        fake.Add(new(FaultKind.Hang) { Resource = "leases", Times = int.MaxValue });
        await Eventually.IsTrueAsync(() => !one.IsLeader);
        fake.Mend();
        await Eventually.IsTrueAsync(() => one.IsLeader);

        await one.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Leader_that_stops_does_not_wait_for_a_server_that_hangs()
    {
        await using var fake = await FakeApiServer.StartAsync();
        using var one = await StartAsync(fake, "one");
        await Eventually.IsTrueAsync(() => one.IsLeader);

        fake.Add(new(FaultKind.Hang) { Resource = "leases", Times = int.MaxValue });
        await one.StopAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));

        Assert.False(one.IsLeader);
    }

    [Fact]
    public async Task Lease_of_a_leader_that_vanished_is_taken_over()
    {
        await using var fake = await FakeApiServer.StartAsync();
        fake.Store.Put("""
            {"kind":"Lease","metadata":{"name":"sticky-ingress","namespace":"ingress"},
             "spec":{"holderIdentity":"vanished","leaseDurationSeconds":1,"leaseTransitions":4}}
            """);
        using var one = await StartAsync(fake, "one");

        await Eventually.IsTrueAsync(() => one.IsLeader);

        var spec = fake.Store.Find("Lease", "ingress", "sticky-ingress")!["spec"]!;
        Assert.Equal(("one", 5), ((string?)spec["holderIdentity"], (int)spec["leaseTransitions"]!));
        await one.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Of_many_only_one_leads()
    {
        await using var fake = await FakeApiServer.StartAsync();
        var leases = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => StartAsync(fake, $"pod-{i}")));

        await Eventually.IsTrueAsync(() => leases.Any(lease => lease.IsLeader));
        await Eventually.IsTrueAsync(() => fake.Requests.Count(it => it.Verb == "get") > 40);

        Assert.Single(leases, lease => lease.IsLeader);
        foreach (var lease in leases)
        {
            await lease.StopAsync(CancellationToken.None);
            lease.Dispose();
        }
    }

    [Fact]
    public async Task Replica_that_does_not_lead_writes_no_status()
    {
        await using var status = await StatusCluster.StartAsync(
            options => (options.LeaderElection, options.Lease) = (true, Fast), FakeObjects.StickyUpstream("web", "shop", "shop"));
        await Eventually.IsTrueAsync(() => status.Lease.IsLeader);
        await status.PublishAsync(await status.Cluster.FirstAsync(), null);
        await status.UntilConditionAsync("web", "shop", "Ready", "True");

        await status.Lease.StopAsync(CancellationToken.None);
        status.Fake.Store.Put(FakeObjects.StickyUpstream("web", "late", "shop"));
        await status.PublishAsync(await status.Cluster.UntilAsync(set => set.Upstreams.Count == 2), null);
        using var other = await StartAsync(status.Fake, "two");
        await Eventually.IsTrueAsync(() => other.IsLeader);

        Assert.Null(status.Condition("web", "late", "Ready"));
        Assert.Single(status.Writes);
        await other.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task What_the_former_leader_could_not_write_the_next_one_writes()
    {
        var names = Enumerable.Range(0, 5).Select(i => $"shop-{i}").ToArray();
        static void Elect(ClusterOptions options) => (options.LeaderElection, options.Lease) = (true, Fast);
        await using var one = await StatusCluster.StartAsync(Elect, [.. names.Select(name => FakeObjects.StickyUpstream("web", name, "shop"))]);
        await Eventually.IsTrueAsync(() => one.Lease.IsLeader);
        await using var two = await one.AnotherAsync("two", Elect);
        one.Fake.Add(new(FaultKind.Status) { Code = 500, Verb = "patch", Times = int.MaxValue });

        // Every replica knows what should be written; the leader fails at it, and stops.
        await one.PublishAsync(await one.Cluster.FirstAsync(), null);
        await two.PublishAsync(await two.Cluster.FirstAsync(), null);
        await Eventually.IsTrueAsync(() => names.All(name => one.Writes.Any(write => write.Name == name)));
        await one.Writer.StopAsync(CancellationToken.None);
        await one.Lease.StopAsync(CancellationToken.None);
        one.Fake.Mend();

        foreach (var name in names) await two.UntilConditionAsync("web", name, "Ready", "True");
    }

    private static async Task<LeaderLease> StartAsync(FakeApiServer fake, string pod)
    {
        var options = new ClusterOptions { PodName = pod, PodNamespace = "ingress", Lease = Fast };
        var server = new ApiServer(new HttpClient { Timeout = Timeout.InfiniteTimeSpan }, fake.Address);
        var lease = new LeaderLease(server, options, TimeProvider.System, new Random(pod.GetHashCode(StringComparison.Ordinal)), NullLogger<LeaderLease>.Instance);
        await lease.StartAsync(CancellationToken.None);
        return lease;
    }
}
