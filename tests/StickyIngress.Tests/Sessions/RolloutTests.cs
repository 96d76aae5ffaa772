using StickyIngress.Testing.Rollout;

namespace StickyIngress.Tests.Sessions;

/// <summary>A small rollout against the executable; <c>tests/load/rollout</c> is the large one.</summary>
public sealed class RolloutTests
{
    private static readonly RolloutOptions Small = new(
        Pods: 2, Clients: 20, Step: TimeSpan.FromMilliseconds(500), Think: TimeSpan.FromMilliseconds(50), Settle: TimeSpan.FromMilliseconds(400));

    [Theory]
    [InlineData(RolloutMode.Cookie)]
    [InlineData(RolloutMode.Learn)]
    [InlineData(RolloutMode.Route)]
    public async Task Sessions_move_only_when_their_pod_is_gone(RolloutMode mode)
    {
        await using var proxy = new StickyIngressProxy(mode);

        var result = await RolloutRun.RunAsync("test", proxy, mode, Small, TestContext.Current.CancellationToken);

        Assert.Equal((0, 0, 0, 0), (result.Failed, result.Early, result.Causeless, result.ToLeaving));
        Assert.True(result.Followed > 0);
        Assert.Equal($"peer_gone {result.Followed}", result.Breaks);
    }
}
