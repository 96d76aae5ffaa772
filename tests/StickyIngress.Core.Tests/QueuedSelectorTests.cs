using System.Collections.Frozen;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Tests.Balancing;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Tests;

/// <summary>Who waits for a peer, how long, and what ends it.</summary>
public sealed class QueuedSelectorTests
{
    private static readonly QueueSettings Queue = new(10, TimeSpan.FromSeconds(60));
    private readonly SnapshotHolder _snapshots = new();

    [Fact]
    public async Task Who_comes_first_is_served_first()
    {
        var upstream = new TestUpstream("a max_conns=1", queue: Queue);
        var held = upstream.Begin()!;
        Task<Queued>[] waiting = [AskAsync(upstream), AskAsync(upstream), AskAsync(upstream)];

        foreach (var next in waiting)
        {
            Assert.False(next.IsCompleted);
            held.Dispose();
            held = (await next).Selected.Lease!;
        }

        held.Dispose();
        AssertNobodyIsLeft(upstream);
    }

    [Fact]
    public async Task A_newcomer_does_not_overtake_who_waits()
    {
        var upstream = new TestUpstream("a max_conns=1", queue: Queue);
        var held = upstream.Begin()!;
        var first = AskAsync(upstream);

        held.Dispose();
        var newcomer = AskAsync(upstream);

        var lease = (await first).Selected.Lease!;
        Assert.False(newcomer.IsCompleted);
        lease.Dispose();
        (await newcomer).Selected.Lease!.Dispose();
        AssertNobodyIsLeft(upstream);
    }

    [Fact]
    public async Task A_free_peer_is_had_without_waiting()
    {
        var queued = await AskAsync(new("a max_conns=1", queue: Queue));

        Assert.Equal((SelectedKind.Peer, -1L), (queued.Selected.Kind, queued.Milliseconds));
    }

    [Fact]
    public async Task Who_waited_long_enough_is_refused()
    {
        var upstream = new TestUpstream("a max_conns=1", queue: Queue);
        using var held = upstream.Begin();
        var waiting = AskAsync(upstream);

        upstream.Time.Advance(TimeSpan.FromSeconds(60));

        var queued = await waiting;
        Assert.Equal((SelectedKind.NoLive, QueueRejection.Timeout, 60_000L), (queued.Selected.Kind, queued.Rejected, queued.Milliseconds));
        Assert.Equal(0, upstream.Upstream.State.Queue.Length);
    }

    [Fact]
    public async Task One_more_than_may_wait_is_refused_at_once()
    {
        var upstream = new TestUpstream("a max_conns=1", queue: Queue with { Size = 1 });
        var held = upstream.Begin()!;
        var waiting = AskAsync(upstream);

        var refused = await AskAsync(upstream);

        Assert.Equal((SelectedKind.NoLive, QueueRejection.Full), (refused.Selected.Kind, refused.Rejected));
        held.Dispose();
        (await waiting).Selected.Lease!.Dispose();
        AssertNobodyIsLeft(upstream);
    }

    [Fact]
    public async Task Who_left_takes_no_peer()
    {
        using var client = new CancellationTokenSource();
        var upstream = new TestUpstream("a max_conns=1", queue: Queue);
        var held = upstream.Begin()!;
        var leaving = AskAsync(upstream, client: client.Token);
        var staying = AskAsync(upstream);

        await client.CancelAsync();
        var gone = await leaving;
        held.Dispose();

        Assert.Equal(QueueRejection.ClientGone, gone.Rejected);
        (await staying).Selected.Lease!.Dispose();
        AssertNobodyIsLeft(upstream);
    }

    [Fact]
    public async Task The_end_of_a_suspension_wakes_without_any_other_event()
    {
        var upstream = new TestUpstream("a fail_timeout=10s, b fail_timeout=20s", queue: Queue);
        upstream.Failing("a b");
        var waiting = AskAsync(upstream);

        upstream.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.False(waiting.IsCompleted);
        upstream.Time.Advance(TimeSpan.FromSeconds(1));

        using var lease = (await waiting).Selected.Lease;
        Assert.Equal("a", lease?.Peer.Server);
    }

    [Fact]
    public async Task A_peer_that_recovers_serves_everybody_who_waits()
    {
        var upstream = new TestUpstream("a, b", queue: Queue);
        foreach (var peer in upstream.Peers) PeerAccounting.SetHealth(peer, healthy: false, upstream.Clock.Milliseconds);
        Task<Queued>[] waiting = [.. Enumerable.Range(0, 5).Select(_ => AskAsync(upstream))];

        PeerAccounting.SetHealth(upstream["a"], healthy: true, upstream.Clock.Milliseconds);

        Assert.All(await Task.WhenAll(waiting), queued => Assert.Equal("a", queued.Selected.Lease?.Peer.Server));
        Assert.Equal(5, upstream["a"].State.Conns);
    }

    [Fact]
    public async Task A_new_configuration_is_what_waiting_requests_select_in()
    {
        var upstream = new TestUpstream("a max_conns=1", queue: Queue);
        using var held = upstream.Begin();
        var waiting = AskAsync(upstream);

        upstream.Publish("a max_conns=1, b", Methods.RoundRobin);
        Publish(upstream);
        upstream.Upstream.State.Queue.Changed();

        var queued = await waiting;
        Assert.Equal("b", queued.Selected.Lease?.Peer.Server);
        Assert.Same(upstream.Upstream, queued.Selection.Upstream);
    }

    [Fact]
    public async Task A_bound_client_waits_for_its_own_full_peer()
    {
        var upstream = new TestUpstream("a max_conns=1, b", queue: Queue);
        var held = upstream.Begin(hint: "a")!;
        var waiting = AskAsync(upstream, "a");

        Assert.Equal("b", upstream.Get());
        held.Dispose();

        var queued = await waiting;
        Assert.Equal(("a", AffinityOutcome.Kept), (queued.Selected.Lease?.Peer.Server, queued.Selection.Outcome));
    }

    [Fact]
    public async Task A_bound_client_rebinds_when_its_time_in_the_queue_is_over()
    {
        var upstream = new TestUpstream("a max_conns=1, b", queue: Queue);
        using var held = upstream.Begin(hint: "a");
        var waiting = AskAsync(upstream, "a");

        upstream.Time.Advance(TimeSpan.FromSeconds(60));

        var queued = await waiting;
        Assert.Equal(("b", QueueRejection.None), (queued.Selected.Lease?.Peer.Server, queued.Rejected));
        Assert.Equal((AffinityOutcome.Rebound, BreakReason.PeerFull), (queued.Selection.Outcome, queued.Selection.Reason));
    }

    [Fact]
    public async Task A_bound_client_rebinds_at_once_when_the_queue_is_full()
    {
        var upstream = new TestUpstream("a max_conns=1, b", queue: Queue with { Size = 1 });
        using var held = upstream.Begin(hint: "a");
        var waiting = AskAsync(upstream, "a");

        var queued = await AskAsync(upstream, "a");

        Assert.Equal("b", queued.Selected.Lease?.Peer.Server);
        Assert.False(waiting.IsCompleted);
    }

    [Fact]
    public async Task All_who_wait_for_a_peer_rebind_when_it_is_lost()
    {
        var upstream = new TestUpstream("a max_conns=1, b", queue: Queue);
        using var held = upstream.Begin(hint: "a");
        Task<Queued>[] waiting = [AskAsync(upstream, "a"), AskAsync(upstream, "a")];

        PeerAccounting.SetHealth(upstream["a"], healthy: false, upstream.Clock.Milliseconds);

        Assert.All(await Task.WhenAll(waiting), queued => Assert.Equal("b", queued.Selected.Lease?.Peer.Server));
    }

    [Fact]
    public async Task A_client_that_must_keep_its_peer_is_refused_only_after_waiting()
    {
        var upstream = new TestUpstream("a max_conns=1, b", failStatus: 503, queue: Queue);
        using var held = upstream.Begin(hint: "a");
        var waiting = AskAsync(upstream, "a");
        Assert.False(waiting.IsCompleted);

        upstream.Time.Advance(TimeSpan.FromSeconds(60));

        Assert.Equal(SelectedKind.Rejected, (await waiting).Selected.Kind);
    }

    private Task<Queued> AskAsync(TestUpstream upstream, string? hint = null, CancellationToken client = default)
    {
        if (_snapshots.Current.Revision == 0) Publish(upstream);
        return new QueuedSelector(upstream.Selector, _snapshots, upstream.Clock, upstream.Time).SelectAsync(upstream.Request(hint: hint), client).AsTask();
    }

    private void Publish(TestUpstream upstream) => _snapshots.Publish(Snapshot.Empty with
    {
        Revision = _snapshots.Current.Revision + 1,
        Upstreams = [upstream.Upstream],
        Positions = new Dictionary<UpstreamName, int> { [upstream.Upstream.Name] = 0 }.ToFrozenDictionary(),
    });

    private static void AssertNobodyIsLeft(TestUpstream upstream)
    {
        Assert.Equal(0, upstream.Upstream.State.Queue.Length);
        Assert.All(upstream.Peers, peer => Assert.Equal(0, peer.State.Conns));
    }
}

/// <summary>Many threads through a few peers, some of whose clients leave.</summary>
public sealed class QueuedSelectorSoakTests
{
    [Fact]
    public async Task Everybody_is_served_or_has_left_and_nothing_is_held()
    {
        var upstream = new TestUpstream("a max_conns=1, b max_conns=2, c max_conns=1", queue: new(1000, TimeSpan.FromMinutes(10)));
        var selector = new QueuedSelector(upstream.Selector, new(), upstream.Clock, TimeProvider.System);
        var (served, left) = (0, 0);

        await Task.WhenAll(Enumerable.Range(0, 32).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; i < 300; i++)
            {
                using var client = new CancellationTokenSource();
                var asking = selector.SelectAsync(upstream.Request(hint: worker % 3 == 0 ? "a" : null), client.Token).AsTask();
                await Task.Yield();
                if ((i + worker) % 5 == 0) await client.CancelAsync();

                using var lease = (await asking).Selected.Lease;
                Interlocked.Increment(ref lease is null ? ref left : ref served);
                await Task.Yield();
            }
        }))).WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);

        Assert.Equal(32 * 300, served + left);
        Assert.InRange(served, 32 * 240, 32 * 300);
        Assert.Equal(0, upstream.Upstream.State.Queue.Length);
        Assert.All(upstream.Peers, peer => Assert.Equal(0, peer.State.Conns));
    }
}
