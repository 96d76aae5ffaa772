using System.Diagnostics;
using StickyIngress.Testing;
using StickyIngress.Testing.ApiServers;

namespace StickyIngress.Benchmarks.Scale;

/// <summary>
/// The API server goes away for minutes while clients keep asking: no request may fail, readiness must stay, and a change must be obeyed within
/// seconds of its return. On the fake API server the change is made while it is away; a real one takes it first thing when it is back.
/// </summary>
internal static class OutageReport
{
    private const int Upstreams = 200;

    /// <param name="options">real or fake to run on one of the two alone, and minutes to be away; three where there is no number.</param>
    public static async Task RunAsync(TextWriter output, string repository, params string[] options)
    {
        var away = TimeSpan.FromMinutes(options.Select(option => double.TryParse(option, out var minutes) ? minutes : 0).Append(0).Max() is > 0 and var given ? given : 3);
        if (!options.Contains("real"))
        {
            await using var fake = (await ScaleServer.FakeAsync()).Api;
            await MeasureAsync(output, "fake API server", fake, changedAway: true, away);
        }

        if (options.Contains("fake")) return;

        if (!RealApiServer.TryFind(out var assets, out var reason))
        {
            await output.WriteLineAsync($"No real API server: {reason}");
            return;
        }

        await using var real = (await ScaleServer.RealAsync(assets, repository)).Api;
        await MeasureAsync(output, "kube-apiserver and etcd", real, changedAway: false, away);
    }

    private static async Task MeasureAsync(TextWriter output, string name, ITestApiServer api, bool changedAway, TimeSpan away)
    {
        await using var one = await TestBackend.StartAsync("one", address: ScaleObjects.Backends[0]);
        await using var other = await TestBackend.StartAsync("other", address: ScaleObjects.Backends[1]);
        foreach (var given in ScaleObjects.Upstreams(Upstreams).Concat(ScaleObjects.AllProbes(one))) await api.PutAsync(given);
        await using var process = new ScaleProcess(api.Kubeconfig);
        await process.UntilReadyAsync();
        var probes = new ScaleProbes(api, process.Client, one, other);
        using var stop = new CancellationTokenSource();
        var clients = probes.ComeBackAsync(stop.Token);
        await probes.MoveOnceAsync(0);

        await api.DownAsync();
        var unready = await CountUnreadyAsync(process, away);
        if (changedAway) await probes.WriteMoveAsync(1);
        await api.UpAsync();
        var back = Stopwatch.GetTimestamp();
        if (!changedAway) await probes.WriteMoveAsync(1);
        await probes.UntilMovedAsync(1);
        var obeyed = Stopwatch.GetElapsedTime(back);
        await stop.CancelAsync();
        await clients;

        await output.WriteLineAsync($"""

            {name}, away for {away.TotalMinutes:f1} minutes

            | | Budget | Measured |
            |---|--:|--:|
            | Requests, and failed ones | 0 failed | {probes.Requests}, {probes.Failed} |
            | Times not ready, asked each second | 0 | {unready} |
            | From its return to the first request that obeys a change | seconds | {obeyed.TotalSeconds:f1} s |
            """);
    }

    private static async Task<int> CountUnreadyAsync(ScaleProcess process, TimeSpan time)
    {
        var unready = 0;
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < time; await Task.Delay(TimeSpan.FromSeconds(1)))
        {
            if (!await process.IsReadyAsync()) unready++;
        }

        return unready;
    }
}
