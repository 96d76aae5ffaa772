using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Tests.Upstreams;

public sealed class ClientEstimateTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(100)]
    [InlineData(1_000)]
    [InlineData(100_000)]
    public void Counts_clients_within_a_fifth(int clients)
    {
        var estimate = new ClientEstimate(600);

        for (var i = 0; i < clients * 3; i++) estimate.Add((uint)(i % Math.Max(1, clients)), now: 5);

        Assert.InRange(estimate.Estimate(5), clients * 0.8, clients * 1.2);
    }

    [Fact]
    public void A_client_counts_for_the_window_and_at_most_a_quarter_longer()
    {
        var estimate = new ClientEstimate(600);
        estimate.Add(1, now: 10_000);

        Assert.Equal(1, estimate.Estimate(10_000));
        Assert.Equal(1, estimate.Estimate(10_600));
        Assert.Equal(0, estimate.Estimate(10_751));
    }

    [Fact]
    public void One_that_comes_back_after_the_window_is_not_lost()
    {
        var estimate = new ClientEstimate(600);
        estimate.Add(1, now: 10_000);
        estimate.Add(2, now: 100_000);

        Assert.Equal(1, estimate.Estimate(100_000));
    }
}
