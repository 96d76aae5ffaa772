using StickyIngress.Testing.Rollout;

namespace StickyIngress.Benchmarks;

/// <summary>A rollout under 200 clients in each mode, and the same with HAProxy where it is installed, as one table.</summary>
internal static class RolloutReport
{
    private static readonly RolloutOptions Options = new(
        Pods: 5, Clients: 200, Step: TimeSpan.FromSeconds(1), Think: TimeSpan.FromMilliseconds(150), Settle: TimeSpan.FromMilliseconds(500));

    /// <summary>False: StickyIngress lost a request or moved a session that it should have kept.</summary>
    public static async Task<bool> RunAsync(TextWriter output)
    {
        await output.WriteLineAsync($"{Options.Pods} pods replaced one by one under {Options.Clients} clients with sessions");
        await output.WriteLineAsync();
        await output.WriteLineAsync("| Proxy | Requests | Failed | Followed a gone pod | Moved before it was gone | Moved for no cause | New on a leaving pod | Own count of breaks |");
        await output.WriteLineAsync("|---|--:|--:|--:|--:|--:|--:|---|");
        var kept = true;
        foreach (var mode in Enum.GetValues<RolloutMode>())
        {
            var result = await RunAsync(output, $"StickyIngress, {mode.ToString().ToLowerInvariant()}", () => new StickyIngressProxy(mode), mode);
            kept &= result.KeptSessions;
        }

        if (!File.Exists(HaproxyProcess.Executable)) return kept;

        foreach (var (mode, name) in new[] { (RolloutMode.Cookie, "cookie"), (RolloutMode.Learn, "stick table") })
        {
            await RunAsync(output, $"HAProxy, {name}, ready pods", () => new HaproxyProcess(mode, drains: false), mode);
            await RunAsync(output, $"HAProxy, {name}, leaving pods at weight 0", () => new HaproxyProcess(mode, drains: true), mode);
        }

        return kept;
    }

    private static async Task<RolloutResult> RunAsync(TextWriter output, string name, Func<IRolloutProxy> start, RolloutMode mode)
    {
        await using var proxy = start();
        var result = await RolloutRun.RunAsync(name, proxy, mode, Options, CancellationToken.None);
        await output.WriteLineAsync(
            $"| {result.Proxy} | {result.Requests} | {result.Failed} | {result.Followed} | {result.Early} | {result.Causeless} | {result.ToLeaving} | {result.Breaks} |");
        return result;
    }
}
