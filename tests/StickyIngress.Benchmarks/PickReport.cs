using System.Diagnostics;
using System.Globalization;

namespace StickyIngress.Benchmarks;

/// <summary>
/// The table of docs/performance.md: what <see cref="PickBenchmark"/> and <see cref="RingBenchmark"/> measure, in a minute rather than an hour. A figure is the
/// median of some rounds.
/// </summary>
internal static class PickReport
{
    private const int Rounds = 15;
    private const int RingChanges = 200;
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(40);

    public static void Run(TextWriter output)
    {
        output.WriteLine("| Method | 100 peers | 10,000 peers | 10,000 peers of 5 weights | Budget |");
        output.WriteLine("|---|--:|--:|--:|--:|");
        foreach (var method in Enum.GetValues<PickBenchmark.Method>().Where(method => method != PickBenchmark.Method.LeastTimeTied))
            output.WriteLine($"| {method} | {Pick(method, 100, 5)} | {Pick(method, 10_000, 1)} | {Pick(method, 10_000, 5)} | {Budget(method)} µs |");

        output.WriteLine();
        WriteScans(output);
        output.WriteLine();
        output.WriteLine(Ring());
    }

    /// <summary>Where nginx's order has every peer looked at.</summary>
    private static void WriteScans(TextWriter output)
    {
        output.WriteLine("| All peers are looked at | Method | 100 peers of 5 weights | 10,000 peers of 5 weights |");
        output.WriteLine("|---|---|--:|--:|");
        Write("one peer is unavailable", PickBenchmark.Method.RoundRobin, new() { OneUnavailable = true });
        Write("one peer is unavailable", PickBenchmark.Method.LeastConn, new() { OneUnavailable = true });
        Write("one peer is unavailable", PickBenchmark.Method.LeastTime, new() { OneUnavailable = true });
        Write("a second try", PickBenchmark.Method.RoundRobin, new() { SecondTry = true });
        Write("a second try", PickBenchmark.Method.LeastConn, new() { SecondTry = true });
        Write("a second try", PickBenchmark.Method.LeastTime, new() { SecondTry = true });
        Write("equal peers of different weights", PickBenchmark.Method.LeastTimeTied, new());

        void Write(string why, PickBenchmark.Method method, PickBenchmark trouble) => output.WriteLine(
            $"| {why} | {method} | {Pick(method, 100, 5, trouble)} | {Pick(method, 10_000, 5, trouble)} |");
    }

    private static int Budget(PickBenchmark.Method method) => method
        is PickBenchmark.Method.Hash or PickBenchmark.Method.HashConsistent or PickBenchmark.Method.IpHash or PickBenchmark.Method.Random or PickBenchmark.Method.RandomTwo ? 2 : 5;

    private static string Pick(PickBenchmark.Method method, int peers, int weights, PickBenchmark? trouble = null)
    {
        var benchmark = new PickBenchmark
        {
            Balancing = method,
            Peers = peers,
            Weights = weights,
            OneUnavailable = trouble?.OneUnavailable == true,
            SecondTry = trouble?.SecondTry == true,
        };
        benchmark.Setup();
        Time(benchmark, Round * 5);
        var rounds = Enumerable.Range(0, Rounds).Select(_ => Time(benchmark, Round)).Order().ToArray();
        return string.Create(CultureInfo.InvariantCulture, $"{rounds[Rounds / 2]:f2} µs");
    }

    /// <summary>Microseconds a pick.</summary>
    private static double Time(PickBenchmark benchmark, TimeSpan duration)
    {
        var (watch, picks) = (Stopwatch.StartNew(), 0);
        do
        {
            for (var i = 0; i < 64; i++) benchmark.Pick();
            picks += 64;
        }
        while (watch.Elapsed < duration);

        return watch.Elapsed.TotalMicroseconds / picks;
    }

    private static string Ring()
    {
        var benchmark = new RingBenchmark();
        benchmark.Setup();
        var times = new double[RingChanges];
        for (var i = -RingChanges; i < RingChanges; i++)
        {
            var watch = Stopwatch.StartNew();
            benchmark.OnePeerReplaced();
            if (i >= 0) times[i] = watch.Elapsed.TotalMilliseconds;
        }

        Array.Sort(times);
        var anew = Stopwatch.StartNew();
        benchmark.Anew();
        return string.Create(CultureInfo.InvariantCulture,
            $"One of 10,000 peers replaced on the ring: {times[RingChanges / 2]:f2} ms in the middle, {times[RingChanges * 99 / 100]:f2} ms at the 99th of 100 (budget 5 ms); the whole ring anew: {anew.Elapsed.TotalMilliseconds:f0} ms.");
    }
}
