using System.Diagnostics;
using StickyIngress.Core.Sessions;

namespace StickyIngress.Benchmarks;

/// <summary>Budget: while another thread inserts without pause, 99 of 100 lookups take at most 2 µs.</summary>
internal static class SessionLatencyReport
{
    public static void Run(TextWriter output)
    {
        const int sessions = 1_000_000;
        var random = new Random(1);
        var table = new SessionTable(new(sessions, TimeSpan.FromHours(1)), TimeProvider.System);
        var keys = new SessionKey[sessions / 2];
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = new((ulong)random.NextInt64(), (ulong)random.NextInt64());
            for (var twice = 0; twice < 2; twice++) table.Learn(keys[i], 0, mayCreate: true);
        }

        random.Shuffle(keys);

        using var stop = new CancellationTokenSource();
        var inserting = Task.Run(() => Insert(table, stop.Token));
        var times = new long[keys.Length];
        for (var i = 0; i < times.Length; i++)
        {
            var start = Stopwatch.GetTimestamp();
            table.TryFind(keys[i], out _);
            times[i] = Stopwatch.GetTimestamp() - start;
        }

        stop.Cancel();
        Array.Sort(times);
        var nanoseconds = 1e9 / Stopwatch.Frequency;
        output.WriteLine($"beside {inserting.GetAwaiter().GetResult()} inserts: p50 {times[times.Length / 2] * nanoseconds:F0} ns, "
            + $"p99 {times[times.Length * 99 / 100] * nanoseconds:F0} ns, p99.9 {times[times.Length / 1000 * 999] * nanoseconds:F0} ns");
    }

    private static int Insert(SessionTable table, CancellationToken stop)
    {
        var random = new Random(2);
        var inserted = 0;
        for (; !stop.IsCancellationRequested; inserted++)
            table.Learn(new((ulong)random.NextInt64(), (ulong)random.NextInt64()), 1, mayCreate: true);
        return inserted;
    }
}
