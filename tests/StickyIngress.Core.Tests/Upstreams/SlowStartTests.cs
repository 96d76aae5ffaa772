using StickyIngress.Core.Tests.Balancing;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Tests.Upstreams;

public sealed class SlowStartTests
{
    [Fact]
    public void Peers_that_are_all_new_begin_with_their_full_weight()
    {
        var upstream = new TestUpstream("a slow_start=10, b slow_start=10");

        Assert.Equal("abab", Picks(upstream, 4));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 20)] // 0.2 of 2.2
    [InlineData(5, 44)] // 0.5 of 2.5
    [InlineData(10, 73)] // 1 of 3
    [InlineData(11, 73)]
    public void Peer_that_joins_gets_its_share_evenly_growing(int seconds, int expected)
    {
        var upstream = new TestUpstream("a, b");
        upstream.Publish("a, b, c slow_start=10", Methods.RoundRobin);

        upstream.Time.Advance(TimeSpan.FromSeconds(seconds));

        Assert.InRange(Picks(upstream, 220).Count(peer => peer == 'c'), expected - 1, expected + 1);
    }

    [Fact]
    public void Publishing_again_does_not_begin_again()
    {
        var upstream = new TestUpstream("a, b");
        upstream.Publish("a, b, c slow_start=10", Methods.RoundRobin);
        upstream.Time.Advance(TimeSpan.FromSeconds(10));

        upstream.Publish("a, b slow_start=10, c slow_start=10", Methods.RoundRobin);

        Assert.Equal(10, Picks(upstream, 30).Count(peer => peer == 'c'));
    }

    [Fact]
    public void Peer_back_from_suspension_begins_slowly()
    {
        var upstream = new TestUpstream("a slow_start=10 fail_timeout=1, b");
        upstream.Failing("a");
        upstream.Time.Advance(TimeSpan.FromSeconds(2));
        Picks(upstream, 3);

        Assert.True(SlowStart.IsRamping(upstream["a"], upstream.Clock.Milliseconds));
        Assert.DoesNotContain('a', Picks(upstream, 50));
        upstream.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(0.5, SlowStart.EffectiveWeight(upstream["a"], upstream.Clock.Milliseconds));
        Assert.InRange(Picks(upstream, 90).Count(peer => peer == 'a'), 29, 31);
    }

    [Fact]
    public void Peer_found_healthy_begins_slowly()
    {
        var upstream = new TestUpstream("a slow_start=10, b");
        PeerAccounting.SetHealth(upstream["a"], healthy: false, upstream.Clock.Milliseconds);
        Assert.Equal("bbb", Picks(upstream, 3));

        PeerAccounting.SetHealth(upstream["a"], healthy: true, upstream.Clock.Milliseconds);
        upstream.Time.Advance(TimeSpan.FromSeconds(5));

        Assert.InRange(Picks(upstream, 90).Count(peer => peer == 'a'), 29, 31);
    }

    [Theory]
    [MemberData(nameof(AllMethods))]
    public void Peer_that_begins_slowly_is_used_where_there_is_no_other(string method)
    {
        var upstream = new TestUpstream("a slow_start=10, b", Methods.Named(method));
        PeerAccounting.SetHealth(upstream["a"], healthy: false, upstream.Clock.Milliseconds);
        PeerAccounting.SetHealth(upstream["a"], healthy: true, upstream.Clock.Milliseconds);
        PeerAccounting.SetHealth(upstream["b"], healthy: false, upstream.Clock.Milliseconds);

        Assert.Equal("aaa", Picks(upstream, 3));
    }

    [Fact]
    public void Least_conn_counts_with_the_grown_weight()
    {
        var upstream = new TestUpstream("a", Methods.Named("least_conn"));
        upstream.Publish("a, b slow_start=10", Methods.Named("least_conn"));
        upstream.Time.Advance(TimeSpan.FromSeconds(5));

        var leases = Enumerable.Range(0, 90).Select(_ => upstream.Begin()!).ToArray();

        Assert.InRange(upstream["b"].State.Conns, 29, 31);
        foreach (var lease in leases) lease.Dispose();
    }

    public static TheoryData<string> AllMethods => new(Methods.Names);

    private static string Picks(TestUpstream upstream, int count) =>
        string.Concat(Enumerable.Range(0, count).Select(_ => upstream.Get("key")));
}
