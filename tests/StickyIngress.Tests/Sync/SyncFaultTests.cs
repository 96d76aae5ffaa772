using System.Collections.Concurrent;
using System.Diagnostics;
using StickyIngress.Testing;

namespace StickyIngress.Tests.Sync;

/// <summary>
/// What clients see while something is wrong with the store: two replicas under load, each fault in turn. With SYNC_FAULTS set to a
/// file, each row is written there as docs/sync.md shows it; <c>make sync-faults</c> does that.
/// </summary>
public sealed class SyncFaultTests
{
    private const int Known = 40;
    private const int New = 40;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("killed, and back empty")]
    [InlineData("frozen (SIGSTOP)")]
    [InlineData("cut off")]
    [InlineData("slow by 200 ms")]
    [InlineData("wrong password")]
    [InlineData("out of memory")]
    [InlineData("failing over to a replica")]
    [InlineData("failing over by Sentinel")]
    [InlineData("failing over in a Cluster")]
    [InlineData("demoted, and promoted again")]
    [InlineData("changing places with a replica")]
    [InlineData("without a shard of its Cluster")]
    [InlineData("flushed")]
    public async Task No_request_fails_and_afterwards_the_replicas_agree(string name)
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        await using var fault = await StoreFault.StartAsync(name);
        await using var replicas = await Replicas.StartAsync(2, servers.Addresses, fault.Store, fault.Settings);
        await replicas.ConnectedAsync();
        var known = Sessions("known", Known);
        var before = await AskAllAsync(replicas, known);
        await AgreedAsync(replicas, known);

        await using var load = new SyncLoad(replicas, known);
        await load.AnswersAsync(200);
        await fault.BeginAsync();
        if (fault.IsSeen) await replicas.ConnectedAsync(connected: false);
        var during = Sessions("new", New);
        var first = await AskAllAsync(replicas, during);
        var second = await AskAllAsync(replicas, during);
        await load.AnswersAsync(200);
        var ready = await Task.WhenAll(replicas.All.Select(async one => (await one.Admin.GetAsync("/readyz", Stop)).IsSuccessStatusCode));
        await fault.EndAsync();
        await replicas.ConnectedAsync();
        var took = await AgreedAsync(replicas, [.. known, .. during]);
        await load.AnswersAsync(200);
        await load.EndAsync();
        var after = await AskAllAsync(replicas, known);

        var moved = before.Zip(after).Count(pair => pair.First != pair.Second);
        var differed = first.Zip(second).Count(pair => pair.First != pair.Second);
        Report(name, load, moved, differed, took);
        Assert.Empty(load.Failures);
        Assert.Equal([true, true], ready);
        Assert.Equal((0, 0), (moved, differed));
    }

    private static string[] Sessions(string kind, int count) => [.. Enumerable.Range(0, count).Select(i => $"{kind}-{i}")];

    /// <summary>Each session once, on one replica after the other; twice the same list goes to the other replica each time.</summary>
    private static async Task<string[]> AskAllAsync(Replicas replicas, string[] sessions)
    {
        var answers = new string[sessions.Length];
        for (var i = 0; i < sessions.Length; i++) answers[i] = await Replicas.AskAsync(replicas[(i + _turn) % 2], sessions[i]);
        _turn++;
        return answers;
    }

    private static async Task<TimeSpan> AgreedAsync(Replicas replicas, string[] sessions)
    {
        var started = Stopwatch.GetTimestamp();
        foreach (var session in sessions)
        {
            await Eventually.HoldsAsync(
                async () => await replicas.PeersAsync(session) is [{ } one, { } two] && one == two, $"both replicas have {session} at one server", Stop);
        }

        return Stopwatch.GetElapsedTime(started);
    }

    private static int _turn;

    private static void Report(string name, SyncLoad load, int moved, int differed, TimeSpan took)
    {
        var row = $"| {name} | {load.Answered} | {load.Failures.Count} | {moved} of {Known} | {differed} of {New} | {took.TotalSeconds:F1} s |";
        TestContext.Current.TestOutputHelper?.WriteLine(row);
        if (Environment.GetEnvironmentVariable("SYNC_FAULTS") is { Length: > 0 } file) File.AppendAllText(file, row + "\n");
    }
}

/// <summary>Clients with known sessions, one request after another, round the replicas.</summary>
internal sealed class SyncLoad : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Replicas _replicas;
    private readonly string[] _sessions;
    private readonly Task[] _clients;
    private int _answered;

    public SyncLoad(Replicas replicas, string[] sessions)
    {
        (_replicas, _sessions) = (replicas, sessions);
        _clients = [.. Enumerable.Range(0, 4).Select(client => Task.Run(() => RunAsync(client)))];
    }

    public ConcurrentQueue<string> Failures { get; } = new();

    public int Answered => Volatile.Read(ref _answered);

    public Task AnswersAsync(int more)
    {
        var goal = Answered + more;
        return Eventually.HoldsAsync(() => Answered >= goal, $"{more} more answers", TestContext.Current.CancellationToken);
    }

    public async Task EndAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _stop.Dispose();
    }

    /// <summary>Every other request is of a session that nobody knows yet.</summary>
    private async Task RunAsync(int client)
    {
        var homes = new Dictionary<string, string>();
        for (var i = 0; !_stop.IsCancellationRequested; i++)
        {
            var session = i % 2 == 0 ? _sessions[(i / 2 + client) % _sessions.Length] : $"passing-{client}-{i}";
            try
            {
                var peer = await _replicas.AskAsync(session);
                if (i % 2 == 0 && !homes.TryAdd(session, peer) && homes[session] != peer) Failures.Enqueue($"{session} went from {homes[session]} to {peer}");
            }
            catch (HttpRequestException e)
            {
                Failures.Enqueue(e.ToString());
            }

            Interlocked.Increment(ref _answered);
        }
    }
}
