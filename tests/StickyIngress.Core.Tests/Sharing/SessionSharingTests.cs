using StickyIngress.Core.Sharing;

namespace StickyIngress.Core.Tests.Sharing;

public sealed class SessionSharingTests
{
    private const int Session = 1;

    private static readonly string[] Peers = Replica.AllPeers;

    private readonly StoreContent _store = new();

    public SessionSharingTests() => SynchronizationContext.SetSynchronizationContext(null); // what is answered goes on at once

    [Fact]
    public void What_one_replica_learns_the_other_knows_without_asking()
    {
        var (one, two) = (new Replica(_store), new Replica(_store));

        one.Bind(Session, Peers[0]);
        one.Settle();
        two.Settle();

        Assert.Equal(Peers[0], two.PeerOf(Session));
        Assert.Equal([(SharingOperation.Hear, SharingOutcome.Ok)], two.Seen);
    }

    [Fact]
    public async Task What_was_not_heard_is_found_by_asking()
    {
        var (one, two) = (new Replica(_store), new Replica(_store));
        one.Bind(Session, Peers[1]);
        one.Settle();
        two.Store.Announcements.Clear();

        var asking = two.FetchAsync(Session);
        two.Store.Deliver();

        Assert.True(await asking);
        Assert.Equal(Peers[1], two.PeerOf(Session));
    }

    [Fact]
    public void Of_two_first_requests_at_once_the_first_to_write_wins()
    {
        var (one, two) = (new Replica(_store), new Replica(_store));
        one.Bind(Session, Peers[0]);
        two.Bind(Session, Peers[1]);

        two.Settle();
        one.Settle();

        Assert.Equal((Peers[1], Peers[1]), (one.PeerOf(Session), two.PeerOf(Session)));
        Assert.Equal((1, 0), (one.Conflicts, two.Conflicts));
    }

    [Fact]
    public void A_session_that_moves_on_one_replica_moves_on_the_other()
    {
        var (one, two) = (new Replica(_store), new Replica(_store));
        one.Bind(Session, Peers[0]);
        one.Settle();
        two.Settle();

        two.Bind(Session, Peers[2]);
        two.Settle();
        one.Settle();

        Assert.Equal(Peers[2], one.PeerOf(Session));
    }

    [Fact]
    public async Task What_is_heard_late_does_not_undo_a_move_that_is_about_to_be_written()
    {
        var (one, two) = (new Replica(_store), new Replica(_store));
        two.Bind(Session, Peers[0]);
        two.Settle();
        var asked = one.FetchAsync(Session);
        one.Store.Calls.Single().Run(apply: true, answer: true);
        Assert.True(await asked);

        one.Bind(Session, Peers[2]);
        one.Store.Hear(0);

        Assert.Equal(Peers[2], one.PeerOf(Session));
        one.Settle();
        two.Settle();
        Assert.Equal((Peers[2], Peers[2]), (one.PeerOf(Session), two.PeerOf(Session)));
    }

    [Fact]
    public void A_replica_does_not_hear_of_its_own_former_binding()
    {
        var one = new Replica(_store);
        foreach (var peer in (string[])[Peers[0], Peers[2]])
        {
            one.Bind(Session, peer);
            one.Send();
            one.Store.Calls.Single().Run(apply: true, answer: true);
        }

        one.Store.Hear(0);

        Assert.Equal(Peers[2], one.PeerOf(Session));
    }

    [Fact]
    public void What_is_bound_while_a_write_is_underway_stands_over_its_answer()
    {
        var (one, two) = (new Replica(_store), new Replica(_store));
        two.Bind(Session, Peers[1]);
        two.Settle();
        one.Store.Announcements.Clear();

        one.Bind(Session, Peers[0]);
        one.Send();
        one.Bind(Session, Peers[2]);
        one.Store.Calls.Single().Run(apply: true, answer: true);

        Assert.Equal(Peers[2], one.PeerOf(Session));
        one.Settle();
        two.Settle();
        Assert.Equal((Peers[2], Peers[2]), (one.PeerOf(Session), two.PeerOf(Session))); // it knew by then what the store had
    }

    [Fact]
    public void What_is_bound_while_a_read_is_underway_stands_over_its_answer()
    {
        var (one, two) = (new Replica(_store), new Replica(_store));
        two.Bind(Session, Peers[1]);
        two.Settle();

        _ = one.FetchAsync(Session);
        one.Bind(Session, Peers[2]);
        one.Store.Calls.Single().Run(apply: true, answer: true);

        Assert.Equal(Peers[2], one.PeerOf(Session));
    }

    [Fact]
    public void A_session_whose_peer_is_not_known_here_is_bound_anew()
    {
        var (one, two) = (new Replica(_store), new Replica(_store));
        two.Forget(Peers[0]);
        one.Bind(Session, Peers[0]);
        one.Settle();
        two.Settle();
        Assert.Null(two.PeerOf(Session));

        two.Bind(Session, Peers[1]);
        two.Settle();
        one.Settle();

        Assert.Equal(Peers[1], one.PeerOf(Session));
    }

    [Fact]
    public async Task What_a_later_version_wrote_is_left_alone_and_harms_nobody()
    {
        var one = new Replica(_store);
        byte[] later = [SharedRecord.Version + 1, 9, 9];
        _store.Values[new("uid-1", Replica.Key(Session))] = later;

        var asking = one.FetchAsync(Session);
        one.Store.Deliver();
        one.Bind(Session, Peers[0]);
        one.Settle();

        Assert.False(await asking);
        Assert.Equal(Peers[0], one.PeerOf(Session));
        Assert.Equal(later, _store.Values[new("uid-1", Replica.Key(Session))]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("01")]
    [InlineData("02aaaaaaaaaaaaaaaa0000")]
    [InlineData("01aaaaaaaaaaaaaaaaffff")]
    [InlineData("01aaaaaaaaaaaaaaaa05007569642d31000000000000000000000000000000000100")]
    public void Announcements_that_make_no_sense_are_ignored(string bytes)
    {
        var one = new Replica(_store);
        one.Store.Announcements.Add(Convert.FromHexString(bytes));

        one.Settle();

        Assert.All(one.Seen, seen => Assert.Equal((SharingOperation.Hear, SharingOutcome.Unknown), seen));
        Assert.Single(one.Seen);
    }

    [Fact]
    public void A_session_in_use_is_written_once_in_a_tenth_of_its_timeout()
    {
        var one = new Replica(_store);
        one.Bind(Session, Peers[0]);
        one.Settle();
        one.Seen.Clear();

        for (var second = 0; second < 600; second++) one.UseAfter(Session, TimeSpan.FromSeconds(1));

        Assert.Equal(10, one.Seen.Count(seen => seen == (SharingOperation.Write, SharingOutcome.Ok)));
    }

    [Fact]
    public void Use_brings_back_what_the_store_has_lost()
    {
        var one = new Replica(_store);
        one.Bind(Session, Peers[0]);
        one.Settle();
        _store.Values.Clear();

        one.Use(Session);
        one.Settle();

        Assert.Single(_store.Values);
    }

    [Fact]
    public async Task A_store_that_is_gone_is_not_asked_and_what_is_learned_waits_for_it()
    {
        var (one, two) = (new Replica(_store), new Replica(_store));
        one.Store.Unreachable = true;
        await one.Sharing.ProbeAsync();
        one.Bind(Session, Peers[0]);

        Assert.True(one.Sharing.IsAway);
        Assert.False(await one.FetchAsync(Session));
        Assert.Equal(["back", "unreachable"], one.States);
        one.Store.Unreachable = false;
        await one.Sharing.ProbeAsync();
        one.Settle();
        two.Settle();

        Assert.False(one.Sharing.IsAway);
        Assert.Equal(Peers[0], two.PeerOf(Session));
    }

    [Fact]
    public async Task Reads_without_an_answer_wait_for_the_budget_and_five_of_them_open_the_breaker()
    {
        var one = new Replica(_store);

        for (var i = 0; i < 5; i++)
        {
            Assert.False(one.Sharing.IsAway);
            var asking = one.FetchAsync(i);
            one.Time.Advance(TimeSpan.FromMilliseconds(9));
            Assert.False(asking.IsCompleted);
            one.Time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.False(await asking);
        }

        Assert.True(one.Sharing.IsAway);
        Assert.True(one.FetchAsync(9).IsCompleted);
    }

    [Fact]
    public void No_more_than_the_cap_ask_at_a_time()
    {
        var one = new Replica(_store, new() { MaxReads = 2 });

        var asking = Enumerable.Range(0, 3).Select(one.FetchAsync).ToArray();

        Assert.Equal([false, false, true], asking.Select(task => task.IsCompleted));
        Assert.Equal([(SharingOperation.Read, SharingOutcome.Dropped)], one.Seen);
    }

    [Fact]
    public async Task A_store_without_memory_is_read_and_sessions_are_bound_alone()
    {
        var one = new Replica(_store);
        one.Store.Full = true;

        await one.Sharing.ProbeAsync();

        Assert.True(one.Sharing.IsAway);
        Assert.False(one.FetchAsync(Session).IsCompleted);
        Assert.Equal("it takes no writes", one.States[^1]);
    }

    [Fact]
    public void Sessions_of_another_upstream_are_not_taken_over()
    {
        var (one, two) = (new Replica(_store), new Replica(_store, owner: "uid-2"));

        one.Bind(Session, Peers[0]);
        one.Settle();
        two.Settle();

        Assert.Null(two.PeerOf(Session));
    }

    [Theory]
    [InlineData("5f0c6bd2-4b1c-4d52-9f2f-3a1f6f0c7e11", 18)]
    [InlineData("5F0C6BD2-4B1C-4D52-9F2F-3A1F6F0C7E11", 38)]
    [InlineData("10.0.0.1:8080", 15)]
    [InlineData("unix:/ä", 10)]
    public void A_peer_reads_back_as_it_was_written(string peer, int bytes)
    {
        var value = SharedRecord.Value(peer);

        Assert.True(SharedRecord.TryReadPeer(value, out var read));
        Assert.Equal((peer, bytes), (read, value.Length));
    }
}
