namespace StickyIngress.Core.Tests.Sharing;

/// <summary>A store of two parts, as the shards of a Cluster, of which one is away; and one with a key that is of no use.</summary>
public sealed class StorePartsTests
{
    private const int OfTheFirst = 0;
    private const int OfTheLast = 1;

    private readonly StoreContent _store = new();

    [Fact]
    public async Task Sessions_of_a_part_that_is_away_wait_and_those_of_the_others_are_written()
    {
        var one = await InTwoPartsAsync();
        one.Store.DeadPart = "last";
        await one.Sharing.ProbeAsync();

        one.Bind(OfTheFirst, Replica.AllPeers[0]);
        one.Bind(OfTheLast, Replica.AllPeers[0]);
        one.Settle();

        Assert.Equal(Replica.Key(OfTheFirst), Assert.Single(_store.Values).Key.Session);
        Assert.Equal((1, true), (one.Sharing.Pending, one.Sharing.IsAway));
    }

    [Fact]
    public async Task A_part_that_is_back_gets_what_has_waited_for_it()
    {
        var one = await InTwoPartsAsync();
        one.Store.DeadPart = "last";
        await one.Sharing.ProbeAsync();
        one.Bind(OfTheLast, Replica.AllPeers[0]);
        one.Settle();

        one.Store.DeadPart = null;
        await one.Sharing.ProbeAsync();
        one.Settle();

        Assert.Equal(Replica.Key(OfTheLast), Assert.Single(_store.Values).Key.Session);
        Assert.Equal(["back", "firstback", "lastback", "lastunreachable", "lastback"], one.States);
    }

    /// <summary>As when its replica takes over, under another address.</summary>
    [Fact]
    public async Task A_part_that_takes_the_place_of_another_gets_what_has_waited()
    {
        var one = await InTwoPartsAsync();
        one.Store.DeadPart = "last";
        await one.Sharing.ProbeAsync();
        one.Bind(OfTheLast, Replica.AllPeers[0]);
        one.Settle();

        one.Store.Parts = ["first", "heir"];
        await one.Sharing.ProbeAsync();
        one.Settle();

        Assert.Single(_store.Values);
        Assert.False(one.Sharing.IsAway);
    }

    /// <summary>As while a Cluster is changing, or the connection to it.</summary>
    [Fact]
    public async Task Parts_that_cannot_be_told_for_a_moment_are_those_that_they_were()
    {
        var one = await InTwoPartsAsync();

        one.Store.Parts = ["first", "last", "last"];
        await one.Sharing.ProbeAsync();
        one.Store.Parts = null!;
        await one.Sharing.ProbeAsync();
        one.Store.Parts = ["first", "last"];
        await one.Sharing.ProbeAsync();

        Assert.False(one.Sharing.IsAway);
        Assert.Equal(["back", "firstback", "lastback"], one.States);
    }

    [Fact]
    public async Task No_more_than_may_wait_waits_and_the_rest_is_offered_later()
    {
        var one = await InTwoPartsAsync(maxPending: 4);
        one.Store.DeadPart = "last";
        await one.Sharing.ProbeAsync();
        foreach (var session in new[] { 1, 3, 5 })
        {
            one.Bind(session, Replica.AllPeers[0]);
            one.Send();
        }

        Assert.Equal(2, one.Sharing.Pending);
        one.Bind(OfTheFirst, Replica.AllPeers[0]);
        one.Settle();
        Assert.Single(_store.Values);
        one.Store.DeadPart = null;
        await one.Sharing.ProbeAsync();
        await one.OfferAsync();

        Assert.Equal(4, _store.Values.Count);
    }

    [Fact]
    public void A_key_that_is_of_no_use_is_told_of_and_hinders_no_other()
    {
        SynchronizationContext.SetSynchronizationContext(null); // what is answered goes on at once
        var one = new Replica(_store);
        one.Store.Occupied = Replica.Key(7);

        for (var session = 6; session < 9; session++) one.Bind(session, Replica.AllPeers[0]);
        one.Settle();

        Assert.Equal([Replica.Key(6), Replica.Key(8)], _store.Values.Keys.Select(key => key.Session));
        Assert.Equal((0, false), (one.Sharing.Pending, one.Sharing.IsAway));
        Assert.Equal(["back", "another type"], one.States);
    }

    private async Task<Replica> InTwoPartsAsync(int maxPending = 100)
    {
        SynchronizationContext.SetSynchronizationContext(null); // what is answered goes on at once
        var one = new Replica(_store, new() { MaxPending = maxPending });
        one.Store.Parts = ["first", "last"];
        await one.Sharing.ProbeAsync();
        await one.Sharing.ReofferAsync(TestContext.Current.CancellationToken); // of no session: none is known yet
        return one;
    }
}
