namespace StickyIngress.Core.Tests.Balancing;

public sealed class RandomBalancerTests
{
    private const int Requests = 20_000;

    // Hundredths of the requests that each peer gets while nobody is busy. Of two, ties go to the second drawn, so c has a chance of
    // 5/8 * 2/3 after a and of 1/8 * 2/7 after b: 45 %, more than the heaviest.
    [Theory]
    [InlineData("random", "a weight=5, b, c weight=2", "62 13 25")]
    [InlineData("random two least_conn", "a weight=5, b, c weight=2", "30 25 45")]
    [InlineData("random", "a weight=3, b weight=4 down, c", "75 0 25")]
    public void Chances_are_as_in_nginx(string method, string servers, string expected)
    {
        var upstream = new TestUpstream(servers, Methods.Named(method));

        var picks = Enumerable.Range(0, Requests).Select(_ => upstream.Get()).CountBy(peer => peer).ToDictionary();

        var hundredths = upstream.Peers.Select(peer => 100.0 * picks.GetValueOrDefault(peer.Server) / Requests);
        Assert.All(expected.Split(' ').Select(double.Parse).Zip(hundredths), pair => Assert.InRange(pair.Second, pair.First - 1.5, pair.First + 1.5));
    }

    [Theory]
    [InlineData("random two least_conn", "least_conn")]
    [InlineData("random two least_time=header", "header")]
    [InlineData("random two least_time=last_byte", "last_byte")]
    public void Of_two_the_better_is_chosen(string method, string worse)
    {
        var upstream = new TestUpstream("a, b", Methods.Named(method));
        upstream.Get(hint: "a");
        using var busy = worse == "least_conn" ? upstream.Begin(hint: "a") : null;
        if (worse == "header") upstream["a"].State.HeaderTime = 500;
        if (worse == "last_byte") upstream["a"].State.ResponseTime = 500;

        Assert.DoesNotContain("a", Enumerable.Range(0, 10).Select(_ => upstream.Get()));
    }

    [Fact]
    public void Two_with_one_peer_left_ends_in_round_robin()
    {
        var upstream = new TestUpstream("a, b down", Methods.Named("random two least_conn"));
        var request = upstream.Request();

        using var lease = upstream.Selector.Select(request).Lease;

        Assert.Equal(("a", 21), (lease?.Peer.Server, request.Hash.Misses));
    }
}
