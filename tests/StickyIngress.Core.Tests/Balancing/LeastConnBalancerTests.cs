namespace StickyIngress.Core.Tests.Balancing;

public sealed class LeastConnBalancerTests
{
    // Requests one after the other that stay, and where each goes.
    [Theory]
    [InlineData("a, b, c", "abccba")]
    [InlineData("a weight=2, b", "ababaaa")]
    [InlineData("a max_conns=1, b", "abbb")]
    [InlineData("a max_conns=1, b max_conns=1, c backup, d backup", "abcddc")]
    [InlineData("a max_conns=1, b max_conns=1", "ab-")]
    [InlineData("a drain, b down, c", "cc")]
    [InlineData("a max_conns=2", "aa-")]
    public void Counts_requests_for_the_weight(string servers, string expected)
    {
        var upstream = new TestUpstream(servers, Methods.Named("least_conn"));

        var leases = expected.Select(_ => upstream.Begin()).ToArray();

        Assert.Equal(expected, string.Concat(leases.Select(lease => lease?.Peer.Server ?? "-")));
        foreach (var lease in leases) lease?.Dispose();
    }

    [Fact]
    public void Is_round_robin_while_nobody_is_busy()
    {
        var upstream = new TestUpstream("a weight=5, b, c", Methods.Named("least_conn"));

        Assert.Equal("aabacaa", string.Concat(Enumerable.Range(0, 7).Select(_ => upstream.Get())));
    }
}
