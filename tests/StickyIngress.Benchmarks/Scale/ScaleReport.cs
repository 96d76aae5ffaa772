using System.Diagnostics;
using System.Text.Json.Nodes;
using StickyIngress.Testing;
using StickyIngress.Testing.ApiServers;

namespace StickyIngress.Benchmarks.Scale;

/// <summary>
/// A cluster of 5,000 StickyUpstreams with 4 endpoints each and one with 5,000, on the fake API server and, where KUBEBUILDER_ASSETS names its
/// folder, on a real one: how long a start takes, how long a change of endpoints takes, what it costs, and that nothing happens when nothing changes.
/// </summary>
internal sealed class ScaleReport(TextWriter output, ScaleServer server, int upstreams)
{
    private const int BigSlices = 50;
    private const int Moves = 200;
    private const int ChangesPerSecond = 200;
    private const int WritesAtATime = 32;
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);

    /// <param name="options">real or fake to run on one of the two alone, and a number for fewer upstreams.</param>
    public static async Task RunAsync(TextWriter output, string repository, params string[] options)
    {
        var upstreams = options.Select(option => int.TryParse(option, out var number) ? number : 0).Append(0).Max() is > 0 and var fewer ? fewer : 5000;
        if (!options.Contains("real"))
            await MeasureAsync(output, await ScaleServer.FakeAsync(), upstreams);

        if (options.Contains("fake")) return;

        if (RealApiServer.TryFind(out var assets, out var reason))
            await MeasureAsync(output, await ScaleServer.RealAsync(assets, repository), upstreams);
        else
            await output.WriteLineAsync($"No real API server: {reason}");
    }

    private static async Task MeasureAsync(TextWriter output, ScaleServer server, int upstreams)
    {
        await using var api = server.Api;
        await new ScaleReport(output, server, upstreams).MeasureAsync();
    }

    private async Task MeasureAsync()
    {
        await output.WriteLineAsync($"\n{server.Name}: {upstreams} StickyUpstreams with {ScaleObjects.EndpointsOfEach} endpoints each, one with {BigSlices * ScaleObjects.EndpointsOfSlice}\n");
        await output.WriteLineAsync("| | Budget | Measured |\n|---|--:|--:|");
        await using var one = await TestBackend.StartAsync("one", address: ScaleObjects.Backends[0]);
        await using var other = await TestBackend.StartAsync("other", address: ScaleObjects.Backends[1]);
        await FillAsync(one);

        var began = Stopwatch.GetTimestamp();
        await using var process = new ScaleProcess(server.Api.Kubeconfig);
        await process.UntilReadyAsync();
        await RowAsync("Cold start to ready", "10 s", $"{Stopwatch.GetElapsedTime(began).TotalSeconds:f1} s");
        await RowAsync("Resident memory when ready, and at most so far", "400 MB", $"{process.Memory("VmRSS"):f0} MB, {process.Memory("VmHWM"):f0} MB");

        var objects = upstreams + 1 + ScaleObjects.Probes;
        var writes = await SettleAsync(objects);
        await RowAsync("Status writes per object", "1.1", $"{(double)writes / objects:f3}");
        await MeasureIdleAsync(process);

        var probes = new ScaleProbes(server.Api, process.Client, one, other);
        await probes.MoveAsync(ScaleObjects.Probes);
        await TimesAsync("Change of endpoints to first request that obeys it, idle", "10 ms, 100 ms", await probes.MoveAsync(Moves));
        await MeasureUnderChangesAsync(process, probes);
        await RowAsync("Failed requests", "0", $"{probes.Failed} of {probes.Requests}");
        await RowAsync("Resident memory at the end, and at most", "400 MB", $"{process.Memory("VmRSS"):f0} MB, {process.Memory("VmHWM"):f0} MB");
    }

    private async Task FillAsync(TestBackend backend)
    {
        IEnumerable<JsonObject> objects =
        [
            .. ScaleObjects.Upstreams(upstreams),
            .. ScaleObjects.Upstream(ScaleObjects.Big), .. Enumerable.Range(0, BigSlices).Select(slice => ScaleObjects.BigSlice(slice, 0)),
            .. ScaleObjects.AllProbes(backend),
        ];
        await Parallel.ForEachAsync(objects, new ParallelOptions { MaxDegreeOfParallelism = server.Writers }, async (given, _) => await server.Api.PutAsync(given));
    }

    /// <summary>Waits until every object has its status and no more is written; how often one was.</summary>
    private async Task<long> SettleAsync(int objects)
    {
        var (writes, since) = (0L, Stopwatch.GetTimestamp());
        while (writes < objects || Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(5))
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            var now = await server.StatusWritesAsync();
            if (now != writes) (writes, since) = (now, Stopwatch.GetTimestamp());
            if (Stopwatch.GetElapsedTime(since) > TimeSpan.FromMinutes(1)) throw new TimeoutException($"{writes} of {objects} statuses are written, and no more come");
        }

        return writes;
    }

    private async Task MeasureIdleAsync(ScaleProcess process)
    {
        var (compiles, writes, processor) = (await CompilesAsync(), await server.StatusWritesAsync(), process.ProcessorTime);
        await Task.Delay(Idle);
        var spent = process.ProcessorTime - processor;
        await RowAsync($"Compiles and status writes in {Idle.TotalSeconds:f0} s without a change", "0, 0", $"{await CompilesAsync() - compiles}, {await server.StatusWritesAsync() - writes}");
        await RowAsync($"Processor time in {Idle.TotalSeconds:f0} s without a change", "", $"{spent.TotalMilliseconds:f0} ms");

        Task<double> CompilesAsync() => process.MetricAsync("stickyingress_config_compile_seconds_count");
    }

    private async Task MeasureUnderChangesAsync(ScaleProcess process, ScaleProbes probes)
    {
        var before = await OursAsync();
        using var stop = new CancellationTokenSource();
        var began = Stopwatch.GetTimestamp();
        var changing = Task.Run(() => ChangeAsync(stop.Token));
        var times = await probes.MoveAsync(Moves);
        await stop.CancelAsync();
        var changes = await changing;
        await TimesAsync($"The same under {changes / Stopwatch.GetElapsedTime(began).TotalSeconds:f0} changes/s", "250 ms (p99)", times);
        var ours = (await OursAsync()).Zip(before, (after, former) => (after.Bound, Count: after.Count - former.Count)).ToArray();
        await RowAsync("Of it in the program, from the event that a watch brings to its publish: 99 % within", "", $"{ours.First(one => one.Count >= ours[^1].Count * 0.99).Bound * 1000:f0} ms");

        Task<(double Bound, double Count)[]> OursAsync() => process.HistogramAsync("stickyingress_endpoint_propagation_seconds", "EndpointSlice");
    }

    /// <summary>Keeps changing slices, one in fifty of the big upstream, as fast as the API server takes it; how many it changed.</summary>
    private async Task<int> ChangeAsync(CancellationToken stop)
    {
        var began = Stopwatch.GetTimestamp();
        var writing = new List<Task>();
        var changes = 0;
        while (!stop.IsCancellationRequested)
        {
            for (var due = (int)(Stopwatch.GetElapsedTime(began).TotalSeconds * ChangesPerSecond); changes < due && writing.Count < WritesAtATime; changes++)
            {
                var turn = changes / upstreams + 1;
                writing.Add(server.Api.ReplaceAsync(changes % 50 == 0 ? ScaleObjects.BigSlice(changes / 50 % BigSlices, changes) : ScaleObjects.Slice(changes % upstreams, turn)));
            }

            writing.RemoveAll(task => task.IsCompletedSuccessfully);
            await Task.Delay(1, CancellationToken.None);
        }

        await Task.WhenAll(writing);
        return changes;
    }

    private Task TimesAsync(string what, string budget, double[] times) =>
        RowAsync($"{what}: p50, p99, worst", budget, $"{times[times.Length / 2]:f1} ms, {times[times.Length * 99 / 100]:f1} ms, {times[^1]:f1} ms");

    private Task RowAsync(string what, string budget, string measured) => output.WriteLineAsync($"| {what} | {budget} | {measured} |");
}
