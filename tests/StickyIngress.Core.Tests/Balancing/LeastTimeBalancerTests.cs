using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Tests.Balancing;

public sealed class LeastTimeBalancerTests
{
    // Milliseconds to the header and from there to the end, of a and of b.
    [Theory]
    [InlineData("least_time header", "10+500 100+0", "abaaaa")]
    [InlineData("least_time last_byte", "10+500 100+0", "abbbbb")]
    [InlineData("least_time header", "25+0 38+0", "abbaba")] // the same 20 ms, once both are known
    [InlineData("least_time header inflight", "10+500 100+0", "abaaaa")]
    [InlineData("least_time last_byte inflight", "10+500 100+0", "abbbbb")]
    public void Prefers_the_faster_peer(string method, string times, string expected)
    {
        var upstream = new TestUpstream("a, b", Methods.Named(method));

        Assert.Equal(expected, Serve(upstream, times, expected.Length));
    }

    [Fact]
    public void Weight_makes_up_for_time()
    {
        var upstream = new TestUpstream("a, b weight=10", Methods.Named("least_time header"));

        Assert.Equal("bbbb", Serve(upstream, "10+0 100+0", 12)[8..]);
    }

    [Fact]
    public void Slow_peer_is_tried_again_once_its_time_has_faded()
    {
        var upstream = new TestUpstream("a, b", Methods.Named("least_time header"));
        Serve(upstream, "10+0 100+0", 4);

        upstream.Time.Advance(TimeSpan.FromSeconds(20)); // 50 ms, counted as 60
        Assert.Equal("aaa", Serve(upstream, "10+0 100+0", 3));
        upstream.Time.Advance(TimeSpan.FromSeconds(15)); // 12 ms, counted as 20: level
        Assert.Single(Serve(upstream, "10+0 100+0", 6), 'b');
    }

    [Fact]
    public void Failed_tries_leave_the_averages_alone()
    {
        var upstream = new TestUpstream("a, b", Methods.Named("least_time header"));

        upstream.Failing("a");

        Assert.Equal((0L, 0L), (upstream["a"].State.HeaderTime, upstream["a"].State.ResponseTime));
    }

    [Theory]
    [InlineData(0, 100, 100)]
    [InlineData(100, 200, 105)]
    [InlineData(100, 100, 100)]
    [InlineData(1000, 0, 950)]
    [InlineData(10, 0, 10)]
    public void Average_moves_by_a_twentieth(long average, long sample, long expected) =>
        Assert.Equal(expected, ResponseTimes.Average(average, sample));

    [Fact]
    public void Waiting_requests_count_with_the_time_they_have_waited()
    {
        var upstream = new TestUpstream("a, b", Methods.Named("least_time header inflight"));
        var state = upstream["a"].State;
        var first = upstream.Begin(hint: "a")!;
        upstream.Time.Advance(TimeSpan.FromMilliseconds(100));
        var second = upstream.Begin(hint: "a")!;
        Assert.Equal((2L, 100L), (state.InflightRequests, state.InflightLast));

        upstream.Time.Advance(TimeSpan.FromMilliseconds(200));
        first.HeaderReceived();
        Assert.Equal((1L, 200L, 300L), (state.InflightRequests, state.InflightLast, state.HeaderTime));

        first.Dispose();
        second.Dispose();
        Assert.Equal((0L, 0L, 300L), (state.InflightRequests, state.InflightLast, state.HeaderTime));
    }

    [Fact]
    public void A_peer_that_does_not_answer_gets_no_more_requests_with_inflight()
    {
        var upstream = new TestUpstream("a weight=10, b", Methods.Named("least_time header inflight"));
        using var hanging = upstream.Begin(hint: "a");

        upstream.Time.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal("bbbb", string.Concat(Enumerable.Range(0, 4).Select(_ => upstream.Get())));
    }

    private static string Serve(TestUpstream upstream, string times, int requests)
    {
        var byServer = times.Split(' ').Select(pair => pair.Split('+').Select(int.Parse).ToArray()).ToArray();
        return string.Concat(Enumerable.Range(0, requests).Select(_ =>
        {
            using var lease = upstream.Begin()!;
            var time = byServer[lease.Peer.Index];
            upstream.Time.Advance(TimeSpan.FromMilliseconds(time[0]));
            lease.HeaderReceived();
            upstream.Time.Advance(TimeSpan.FromMilliseconds(time[1]));
            return lease.Peer.Server;
        }));
    }
}
