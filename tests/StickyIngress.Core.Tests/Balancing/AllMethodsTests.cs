using System.Net;
using StickyIngress.Core.Balancing;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Tests.Balancing;

/// <summary>What holds for every method, with clients that are bound and with such that are not.</summary>
public sealed class AllMethodsTests
{
    public static TheoryData<string> AllMethods => new(Methods.Names);

    public static TheoryData<string, string?> MethodsAndHints =>
        new(Methods.Names.SelectMany(name => new (string, string?)[] { (name, null), (name, "b"), (name, "d"), (name, "nobody") }));

    [Theory]
    [MemberData(nameof(MethodsAndHints))]
    public void All_counts_are_zero_when_all_requests_have_ended(string method, string? hint)
    {
        var upstream = new TestUpstream("a, b weight=2 max_conns=3, c max_fails=2, d backup, e down, f drain", Methods.Named(method));

        for (var i = 0; i < 50; i++)
        {
            var leases = Enumerable.Range(0, i % 7).Select(n => upstream.Begin($"key{i}-{n}", hint)).ToArray();
            upstream.Failing(i % 3 == 0 ? "a b" : "c d", $"key{i}");
            upstream.Time.Advance(TimeSpan.FromSeconds(1));
            foreach (var lease in leases) lease?.Dispose();
        }

        Assert.All(upstream.Peers, peer => Assert.Equal((0, 0L), (peer.State.Conns, peer.State.InflightRequests)));
        Assert.All(upstream.Peers, peer => Assert.InRange(peer.State.LostWeight, 0, peer.Weight));
    }

    [Theory]
    [MemberData(nameof(AllMethods))]
    public void Draining_peer_keeps_its_clients_and_gets_no_others(string method)
    {
        var upstream = new TestUpstream("a, b drain, c", Methods.Named(method));

        Assert.Equal("bbbbb", Gets(upstream, 5, hint: "b"));
        Assert.DoesNotContain('b', Gets(upstream, 50));
    }

    [Theory]
    [MemberData(nameof(AllMethods))]
    public void Sole_peer_that_is_draining_serves_only_its_clients(string method)
    {
        var upstream = new TestUpstream("a drain", Methods.Named(method));

        Assert.Equal("a-", upstream.Get("key", hint: "a") + upstream.Get("key"));
    }

    [Theory]
    [MemberData(nameof(AllMethods))]
    public void Bound_client_gets_another_peer_where_its_own_is_full_or_down(string method)
    {
        var upstream = new TestUpstream("a max_conns=1, b down, c", Methods.Named(method));
        using var first = upstream.Begin("key", hint: "a");

        Assert.Equal("acc", first?.Peer.Server + upstream.Get("key", hint: "a") + upstream.Get("key", hint: "b"));
    }

    [Theory]
    [MemberData(nameof(AllMethods))]
    public void Backups_serve_while_no_primary_can_and_only_then(string method)
    {
        var upstream = new TestUpstream("a, b, c backup, d backup", Methods.Named(method));
        var now = upstream.Clock.Milliseconds;

        Assert.DoesNotContain(Gets(upstream, 20, hint: "c"), peer => peer is 'c' or 'd');
        foreach (var peer in upstream.Peers.Where(peer => !peer.Backup)) PeerAccounting.SetHealth(peer, healthy: false, now);
        Assert.Equal(['c', 'd'], Gets(upstream, 20).Distinct().Order());
        Assert.Equal("dddd", Gets(upstream, 4, hint: "d"));
        foreach (var peer in upstream.Peers) PeerAccounting.SetHealth(peer, healthy: true, now);
        Assert.Equal(['a', 'b'], Gets(upstream, 50).Distinct().Order());
    }

    [Theory]
    [MemberData(nameof(AllMethods))]
    public void Every_peer_is_tried_once_and_then_nobody(string method)
    {
        var upstream = new TestUpstream("a max_fails=0, b max_fails=0, c max_fails=0, d backup max_fails=0", Methods.Named(method));

        Assert.Equal("a b c d", string.Join(' ', upstream.Failing("a b c d", "key").Split(' ').Order()));
    }

    [Theory]
    [MemberData(nameof(AllMethods))]
    public void Waiting_request_gets_the_primary_that_becomes_free(string method)
    {
        var upstream = new TestUpstream("a max_conns=1, b down, c backup max_conns=1", Methods.Named(method));
        var first = upstream.Begin("key")!;
        using var second = upstream.Begin("key");
        var waiting = upstream.Request("key");
        Assert.Equal(SelectedKind.NoLive, upstream.Selector.Select(waiting).Kind);

        first.Dispose();
        using var served = upstream.Selector.Select(waiting).Lease;

        Assert.Equal("a", served?.Peer.Server);
    }

    [Theory]
    [MemberData(nameof(AllMethods))]
    public void A_pick_allocates_nothing(string method)
    {
        var servers = string.Join(", ", Enumerable.Range(0, 100).Select(i => $"10.0.0.{i}:80 weight={1 + (i % 3)}"));
        var upstream = new TestUpstream(servers, Methods.Named(method));
        var selection = upstream.Request("key", address: IPAddress.Loopback);
        var balancer = upstream.Upstream.Balancer;
        var now = upstream.Clock.Milliseconds;
        Pick(balancer, selection, now);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Pick(balancer, selection, now);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Pick(IBalancer balancer, Selection selection, long now)
    {
        for (var i = 0; i < 200; i++) balancer.Pick(selection, now);
    }

    private static string Gets(TestUpstream upstream, int count, string? hint = null) => string.Concat(
        Enumerable.Range(0, count).Select(i => upstream.Get($"key{i}", hint, IPAddress.Parse($"10.0.{i}.1"))));
}
