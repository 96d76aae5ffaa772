using StickyIngress.Core.Sharing;

namespace StickyIngress.Core.Tests.Sharing;

/// <summary>When a replica offers the store again what it knows, and how fast.</summary>
public sealed class OfferedAgainTests
{
    private const int Sessions = 5;

    private readonly StoreContent _store = new();

    public OfferedAgainTests() => SynchronizationContext.SetSynchronizationContext(null); // what is answered goes on at once

    [Fact]
    public async Task A_store_that_has_lost_its_content_is_offered_all_sessions()
    {
        var one = Knowing();
        _store.Values.Clear();
        _store.Life = "second";

        await one.Sharing.ProbeAsync();
        await one.OfferAsync();

        Assert.Equal(Sessions, _store.Values.Count);
    }

    [Fact]
    public async Task What_is_offered_again_lives_no_longer_there_than_here()
    {
        var one = Knowing();
        var whole = _store.Lifetimes.Values.Distinct().Single();
        one.Time.Advance(TimeSpan.FromMinutes(4));
        _store.Values.Clear();
        _store.Life = "second";

        await one.Sharing.ProbeAsync();
        await one.OfferAsync();

        Assert.All(_store.Lifetimes.Values, lifetime => Assert.InRange(whole - lifetime, TimeSpan.FromMinutes(3.9), TimeSpan.FromMinutes(4.1)));
    }

    [Fact]
    public async Task A_store_that_is_back_is_offered_all_sessions_and_none_before()
    {
        var one = Knowing();
        one.Store.Unreachable = true;
        await one.Sharing.ProbeAsync();
        _store.Values.Clear();

        await one.OfferAsync();
        Assert.Equal(0, one.Sharing.Pending);
        one.Store.Unreachable = false;
        await one.Sharing.ProbeAsync();
        await one.OfferAsync();

        Assert.Equal(Sessions, _store.Values.Count);
    }

    [Fact]
    public async Task A_store_that_is_what_it_was_is_offered_nothing()
    {
        var one = Knowing();
        _store.Values.Clear();

        await one.Sharing.ProbeAsync();
        await one.OfferAsync();

        Assert.Empty(_store.Values);
    }

    [Fact]
    public async Task What_is_more_than_may_wait_is_dropped_and_counted_and_offered_later()
    {
        var one = new Replica(_store, new() { MaxPending = 2 });

        for (var session = 0; session < Sessions; session++) one.Bind(session, Replica.AllPeers[0]);

        Assert.Equal(2, one.Sharing.Pending);
        Assert.Equal(Enumerable.Repeat((SharingOperation.Write, SharingOutcome.Dropped), Sessions - 2), one.Seen);
        await one.OfferAsync();
        Assert.Equal(Sessions, _store.Values.Count);
    }

    [Fact]
    public async Task No_faster_than_the_rate()
    {
        var one = Knowing(new() { ReofferedPerSecond = 40 });
        _store.Life = "second";
        await one.Sharing.ProbeAsync();

        var offering = one.Sharing.ReofferAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, one.Sharing.Pending);
        one.Time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal(3, one.Sharing.Pending);
        one.Time.Advance(TimeSpan.FromMilliseconds(50));
        await offering;

        Assert.Equal(Sessions, one.Sharing.Pending);
    }

    private Replica Knowing(SharingOptions? options = null)
    {
        var replica = new Replica(_store, options);
        for (var session = 0; session < Sessions; session++) replica.Bind(session, Replica.AllPeers[0]);
        replica.Settle();
        return replica;
    }
}
