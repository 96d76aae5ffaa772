namespace StickyIngress.Core.Tests.Sharing;

/// <summary>A store that takes what a probe writes and no session, as for a user who may not run scripts.</summary>
public sealed class RefusedWritesTests
{
    private const int Session = 1;

    private readonly StoreContent _store = new();

    [Fact]
    public async Task It_is_away_whatever_the_probes_say_and_the_cause_is_told()
    {
        var one = await RefusedAsync();

        await one.Sharing.ProbeAsync();

        Assert.True(one.Sharing.IsAway);
        Assert.Equal(["back", "it refuses a session: NOPERM"], one.States);
    }

    [Fact]
    public async Task It_is_tried_again_half_as_often_each_time()
    {
        var one = await RefusedAsync();

        foreach (var milliseconds in new[] { 500, 1000, 2000, 4000, 8000, 10_000, 10_000 })
        {
            one.Time.Advance(TimeSpan.FromMilliseconds(milliseconds - 1));
            await one.Sharing.ProbeAsync();
            Assert.True(one.Sharing.IsAway, $"not before {milliseconds} ms");
            one.Time.Advance(TimeSpan.FromMilliseconds(1));
            await one.Sharing.ProbeAsync();
            Assert.False(one.Sharing.IsAway, $"after {milliseconds} ms");
            await FailAsync(one);
        }
    }

    [Fact]
    public async Task A_session_that_is_taken_ends_that()
    {
        var one = await RefusedAsync();
        one.Time.Advance(TimeSpan.FromMilliseconds(500));
        await one.Sharing.ProbeAsync();
        one.Store.Refusal = null;
        one.Settle();
        Assert.Single(_store.Values);

        one.Store.Refusal = "NOPERM";
        one.Bind(Session + 1, Replica.AllPeers[1]);
        await FailAsync(one);
        one.Time.Advance(TimeSpan.FromMilliseconds(500));
        await one.Sharing.ProbeAsync();

        Assert.False(one.Sharing.IsAway);
    }

    private async Task<Replica> RefusedAsync()
    {
        var one = new Replica(_store);
        one.Store.Refusal = "NOPERM";
        one.Bind(Session, Replica.AllPeers[0]);
        await FailAsync(one);
        return one;
    }

    /// <summary>As often as opens the breaker.</summary>
    private static async Task FailAsync(Replica one)
    {
        for (var i = 0; i < 2; i++) Assert.False(await one.Sharing.WriteBatchAsync());
        Assert.True(one.Sharing.IsAway);
    }
}
