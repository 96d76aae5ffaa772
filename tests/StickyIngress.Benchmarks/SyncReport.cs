using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Sharing;
using StickyIngress.Sync;
using StickyIngress.Testing;

namespace StickyIngress.Benchmarks;

/// <summary>
/// Budgets: at 1,000 new sessions a second another replica knows each within 20 ms (p99), and of those that a killed store takes with it none
/// is older than a second; a request that must ask waits 1 ms (p50); a session takes 200 bytes of the store; one that is known
/// costs nothing to speak of. Two replicas' tables with a redis-server on this machine.
/// </summary>
internal static class SyncReport
{
    private const int PerSecond = 1_000;
    private const int Sessions = 1_000_000;
    private static readonly string[] Peers = [.. Enumerable.Range(0, 10).Select(_ => Guid.NewGuid().ToString())];

    public static async Task RunAsync(TextWriter output)
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = await Node.StartAsync(server);
        await using var two = await Node.StartAsync(server);
        Spread(one, two, TimeSpan.FromSeconds(5)); // warm up

        var delays = Spread(one, two, TimeSpan.FromSeconds(20));
        output.WriteLine($"heard     {Percentile(delays, 50),8:f2} ms p50, {Percentile(delays, 99):f2} ms p99 after it was learned on the other replica, "
            + $"{delays.Count} sessions at {PerSecond} a second   (budget: 20 ms p99)");

        var reads = await MissAsync(one, 5_000);
        output.WriteLine($"miss      {Percentile(reads, 50),8:f2} ms p50, {Percentile(reads, 99):f2} ms p99   (budget: 1 ms p50)");

        ReportKnown(output, one);
        await ReportBytesAsync(output, server, one);
        await ReportLossAsync(output, server);
    }

    /// <summary>Learns on one replica at the rate; milliseconds until the other knew each.</summary>
    private static List<double> Spread(Node one, Node two, TimeSpan time)
    {
        var underway = new Queue<(SessionKey Key, long Learned)>();
        var delays = new List<double>();
        var started = Stopwatch.GetTimestamp();
        for (var sent = 0; sent < time.TotalSeconds * PerSecond || underway.Count > 0;)
        {
            if (sent < Math.Min(Stopwatch.GetElapsedTime(started).TotalSeconds, time.TotalSeconds) * PerSecond)
            {
                underway.Enqueue((one.LearnNew(), Stopwatch.GetTimestamp()));
                sent++;
            }

            while (underway.TryPeek(out var first) && two.Knows(first.Key))
                delays.Add(Stopwatch.GetElapsedTime(underway.Dequeue().Learned).TotalMilliseconds);
            if (Stopwatch.GetElapsedTime(started) > time * 3) throw new TimeoutException($"{underway.Count} sessions were never heard of");

            Thread.Yield();
        }

        return delays;
    }

    private static async Task<List<double>> MissAsync(Node node, int count)
    {
        var times = new List<double>();
        for (var i = 0; i < count; i++)
        {
            var started = Stopwatch.GetTimestamp();
            await node.Shared.FetchAsync(Node.NewKey());
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        return times;
    }

    /// <summary>What sharing adds to a request of a known session: one lookup more, and the question whether the store is to be told.</summary>
    private static void ReportKnown(TextWriter output, Node node)
    {
        const int Rounds = 2_000_000;
        var table = node.Zone.Table;
        var key = node.LearnNew();
        var alone = new SessionTable(new(1000, TimeSpan.FromHours(1)), TimeProvider.System);
        alone.Learn(key, 0, mayCreate: true);

        var (with, without) = (double.MaxValue, double.MaxValue);
        for (var i = 0; i < 5; i++)
        {
            with = Math.Min(with, Nanoseconds(Rounds, () => (table.TryFind(key, out _), table.TryFind(key, out var at), table.Learn(key, at, mayCreate: true, at))));
            without = Math.Min(without, Nanoseconds(Rounds, () => (alone.TryFind(key, out var at), alone.Learn(key, at, mayCreate: true, at))));
        }

        output.WriteLine($"known     {with - without,8:f0} ns of one core more for a request of a known session ({without:f0} ns without sharing)");
    }

    private static async Task ReportBytesAsync(TextWriter output, RedisServer server, Node node)
    {
        await server.SayAsync("FLUSHALL");
        var (before, started) = (await server.InfoAsync("used_memory"), Stopwatch.GetTimestamp());
        for (var i = 0; i < Sessions; i++)
        {
            node.LearnNew();
            while (node.Sharing.Pending > 10_000) await Task.Delay(1);
        }

        while (node.Sharing.Pending > 0) await Task.Delay(10);
        var took = Stopwatch.GetElapsedTime(started);
        var bytes = (double)(await server.InfoAsync("used_memory") - before) / Sessions;
        output.WriteLine($"store     {bytes,8:f0} bytes a session over {Sessions} sessions, written at {Sessions / took.TotalSeconds:f0} a second   (budget: 200 bytes)");
    }

    private static async Task ReportLossAsync(TextWriter output, RedisServer server)
    {
        await using var one = await Node.StartAsync(server);
        await using var two = await Node.StartAsync(server);
        var learned = new List<(SessionKey Key, long At)>();
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started).TotalSeconds < 5)
        {
            if (learned.Count < Stopwatch.GetElapsedTime(started).TotalSeconds * PerSecond) learned.Add((one.LearnNew(), Stopwatch.GetTimestamp()));
            else Thread.Yield();
        }

        var killed = Stopwatch.GetTimestamp();
        server.Kill();
        while (!one.Sharing.IsAway) await Task.Delay(1);
        var lost = learned.Where(session => !two.Knows(session.Key)).ToArray();
        var oldest = lost.Length == 0 ? 0 : lost.Max(session => Stopwatch.GetElapsedTime(session.At, killed).TotalMilliseconds);
        output.WriteLine($"loss      {lost.Length,8} of {learned.Count} sessions unknown to the other replica when the store was killed, "
            + $"the oldest {oldest:f0} ms old   (budget: 1000 ms)");
    }

    private static double Nanoseconds<T>(int rounds, Func<T> measured)
    {
        var started = Environment.CpuUsage.TotalTime;
        for (var i = 0; i < rounds; i++) measured();
        return (Environment.CpuUsage.TotalTime - started).TotalNanoseconds / rounds;
    }

    private static double Percentile(List<double> values, int percent) => values.Order().ElementAt(Math.Min(values.Count - 1, values.Count * percent / 100));

    /// <summary>What a replica has of sharing.</summary>
    private sealed class Node : IAsyncDisposable, ISharingObserver
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly RedisStore _store;
        private readonly Task _running;

        private Node(RedisServer server)
        {
            var connection = new RedisConnection(new() { Store = "redis://" + server.Address }, TimeProvider.System, NullLogger<RedisConnection>.Instance);
            _store = new(connection);
            Sharing = new(_store, new(), TimeProvider.System, this);
            Zone = new("shop", new byte[32], new(2 * Sessions, TimeSpan.FromHours(1)), TimeProvider.System);
            foreach (var peer in Peers) Zone.Peers.Assign(peer);
            Shared = Sharing.Join("5f0c6bd2-4b1c-4d52-9f2f-3a1f6f0c7e11", Zone);
            _running = Task.WhenAll(connection.RunAsync(_stop.Token), Sharing.RunAsync(_stop.Token));
        }

        public SessionSharing Sharing { get; }

        public SessionZone Zone { get; }

        public SharedZone Shared { get; }

        public static async Task<Node> StartAsync(RedisServer server)
        {
            var node = new Node(server);
            await Eventually.HoldsAsync(() => !node.Sharing.IsAway, "the store is reached");
            return node;
        }

        public static SessionKey NewKey() => new((ulong)Random.Shared.NextInt64(), (ulong)Random.Shared.NextInt64());

        public SessionKey LearnNew()
        {
            var key = NewKey();
            Zone.Table.Learn(key, Random.Shared.Next(Peers.Length), mayCreate: true, SessionTable.Unbound);
            return key;
        }

        public bool Knows(in SessionKey key) => Zone.Table.TryFind(key, out _);

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await Task.WhenAny(_running);
            await _store.DisposeAsync();
            _stop.Dispose();
        }

        public void Done(SharingOperation operation, SharingOutcome outcome, TimeSpan duration)
        {
        }

        public void Conflict()
        {
        }

        public void Adopted()
        {
        }

        public void Away(string part, string reason)
        {
        }

        public void Back(string part)
        {
        }

        public void Unusable(string reason)
        {
        }
    }
}
