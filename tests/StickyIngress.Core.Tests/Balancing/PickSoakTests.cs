using System.Net;
using StickyIngress.Core.Affinity;

namespace StickyIngress.Core.Tests.Balancing;

public sealed class PickSoakTests
{
    private const int Threads = 8;
    private const int RequestsEach = 1500;

    public static TheoryData<string> AllMethods => new(Methods.Names);

    [Theory]
    [MemberData(nameof(AllMethods))]
    public void Many_threads_leave_no_count_behind_and_nobody_gets_an_unusable_peer(string method)
    {
        var servers = Enumerable.Range(0, 60).Select(i => $"{i} weight={1 + (i % 3)} max_conns=2 max_fails=3 slow_start={i % 2}");
        var upstream = new TestUpstream(string.Join(", ", servers) + ", down down, drain drain, last backup", Methods.Named(method));
        var holding = new int[upstream.Peers.Length];
        var wrong = 0;

        Parallel.For(0, Threads, new() { MaxDegreeOfParallelism = Threads }, thread =>
        {
            var random = new Random(thread);
            for (var i = 0; i < RequestsEach; i++)
            {
                if (i % 100 == 0) upstream.Time.Advance(TimeSpan.FromMilliseconds(900));
                if (!Serve(upstream, holding, random)) Interlocked.Increment(ref wrong);
            }
        });

        Assert.Equal(0, wrong);
        Assert.All(upstream.Peers, peer => Assert.Equal((0, 0L), (peer.State.Conns, peer.State.InflightRequests)));
        Assert.Equal(0, upstream["down"].State.SelectedTotal);
    }

    /// <summary>A request, sometimes bound, that sometimes fails; false: it got what it must not get.</summary>
    private static bool Serve(TestUpstream upstream, int[] holding, Random random)
    {
        var hint = random.Next(4) == 0 ? random.Next(60).ToString() : null;
        var selection = upstream.Request($"key{random.Next()}", hint, new IPAddress(random.Next()));
        var right = true;
        do
        {
            using var lease = upstream.Selector.Select(selection).Lease;
            if (lease is null) break;

            var number = upstream.Peers.IndexOf(lease.Peer);
            var held = Interlocked.Increment(ref holding[number]);
            right &= !lease.Peer.Down && !lease.Peer.Draining && (lease.Peer.MaxConns == 0 || held <= lease.Peer.MaxConns);
            if (random.Next(2) == 0) lease.HeaderReceived();
            Thread.Yield();
            Interlocked.Decrement(ref holding[number]);
            if (random.Next(20) > 0) break;

            lease.Fail(random.Next(2) == 0 ? TryOutcome.Failed : TryOutcome.Next, BreakReason.PeerFailed);
        }
        while (selection.Tries > 0);

        return right;
    }
}
