using StickyIngress.Testing;
using StickyIngress.Tests.Clusters;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests.Monitoring;

/// <summary>The alert rules of the chart, over what a process exports when it is in the trouble that each is for.</summary>
public sealed class AlertTests
{
    private const string SmallTable = "sticky: { learn: { create: [$arg_s], lookup: [$arg_s], zone: { name: z, size: 64k } } }";

    /// <summary>How each trouble is brought about: the pages of metrics before and after.</summary>
    private static readonly Dictionary<string, Func<Task<(string[] Before, string[] After)>>> Troubles = new()
    {
        ["StickyIngressDown"] = static () => Task.FromResult<(string[], string[])>(([], [])),
        ["StickyIngressNoPeers"] = PeersFailAsync,
        ["StickyIngressErrors"] = PeersFailAsync,
        ["StickyIngressPeerFailing"] = PeersFailAsync,
        ["StickyIngressAffinityBreaking"] = ForgedCookiesAsync,
        ["StickyIngressSessionTableNearlyFull"] = ManySessionsAsync,
        ["StickyIngressSessionsEvicted"] = ManySessionsAsync,
        ["StickyIngressQueueRejecting"] = QueueIsFullAsync,
        ["StickyIngressWatchStale"] = ApiServerIsAwayAsync,
        ["StickyIngressConfigRefused"] = MistakeInResourceAsync,
        ["StickyIngressCertificateExpiring"] = () => CertificateAsync(TimeSpan.FromDays(1)),
        ["StickyIngressCertificateExpired"] = () => CertificateAsync(TimeSpan.FromMinutes(30)),
        ["StickyIngressAffinityKeysUnusable"] = KeysFileBreaksAsync,
        ["StickyIngressSessionFileStale"] = SessionFileIsNotWrittenAsync,
        ["StickyIngressSharedStoreAway"] = SharedStoreIsKilledAsync,
        ["StickyIngressStateFileUnusable"] = StateFileIsForeignAsync,
    };

    public static TheoryData<string> Alerts => [.. Names()];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Alerts))]
    public async Task Fires_in_its_trouble(string alert)
    {
        var (before, after) = await Troubles[alert]();

        Assert.Equal([alert], await Promtool.FiringAsync([alert], before, after));
    }

    [Fact]
    public async Task Nothing_fires_while_all_is_well()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var manifests = With(
            Upstream("cookie", servers.Addresses, "sticky: { cookie: { name: c } }"), Upstream("learn", servers.Addresses, SmallTable),
            Certificates.Secret("pair", "shop.test", TimeSpan.FromDays(90)),
            $"{Upstream("tls", servers.Addresses)}\n  tls: [{{ hosts: [shop.test], secretName: pair }}]\n");

        var (before, after) = await AroundAsync(manifests, process => AskAsync(process, "/cookie", "/learn?s=1", "/learn?s=1"), "--https", $"127.0.0.1:{FreePort.Next()}");

        Assert.Empty(await Promtool.FiringAsync(Names(), before, after));
    }

    private static IEnumerable<string> Names() => File.ReadLines(Repository.PathOf("charts/sticky-ingress/files/alerts.yaml"))
        .Where(line => line.Contains("- alert: ", StringComparison.Ordinal)).Select(line => line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..]);

    private static async Task<(string[] Before, string[] After)> AroundAsync(Manifests manifests, Func<StickyProcess, Task> trouble, params string[] more)
    {
        await using var process = await StickyProcess.ServeAsync(manifests, more);
        return await AroundAsync(process, () => trouble(process));
    }

    private static async Task<(string[] Before, string[] After)> AroundAsync(StickyProcess process, Func<Task> trouble)
    {
        var before = await process.MetricsAsync();
        await trouble();
        return (before, await process.MetricsAsync());
    }

    private static async Task AskAsync(StickyProcess process, params string[] targets)
    {
        foreach (var target in targets)
        {
            using var response = await process.Client.GetAsync(target, Stop);
        }
    }

    private static async Task<(string[] Before, string[] After)> PeersFailAsync()
    {
        using var manifests = With(Upstream("shop", [$"127.0.0.1:{FreePort.Next()}, failTimeout: 1h", $"127.0.0.1:{FreePort.Next()}, failTimeout: 1h"]));
        return await AroundAsync(manifests, process => AskAsync(process, "/shop", "/shop", "/shop"));
    }

    private static async Task<(string[] Before, string[] After)> ForgedCookiesAsync()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var manifests = With(Upstream("shop", servers.Addresses, "sticky: { cookie: { name: c } }"));
        return await AroundAsync(manifests, async process =>
        {
            using var forged = new HttpRequestMessage(HttpMethod.Get, "/shop") { Headers = { { "Cookie", "c=forged" } } };
            using var response = await process.Client.SendAsync(forged, Stop);
        });
    }

    private static async Task<(string[] Before, string[] After)> ManySessionsAsync()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var manifests = With(Upstream("shop", servers.Addresses, SmallTable));
        return await AroundAsync(manifests, process => AskAsync(process, [.. Enumerable.Range(0, 3000).Select(i => $"/shop?s={i}")]));
    }

    private static async Task<(string[] Before, string[] After)> QueueIsFullAsync()
    {
        using var manifests = With(FullQueue);
        return await AroundAsync(manifests, process => AskAsync(process, "/queued"));
    }

    private static async Task<(string[] Before, string[] After)> ApiServerIsAwayAsync()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var process = await cluster.ServeAsync();
        return await AroundAsync(process, async () =>
        {
            await cluster.Server.DownAsync();
            await Eventually.HoldsAsync(async () => await SumAsync(process, "stickyingress_watch_restarts_total") > 20, "watches are tried again", Stop);
        });
    }

    private static async Task<(string[] Before, string[] After)> MistakeInResourceAsync()
    {
        await using var servers = await Backends.StartAsync("a");
        using var manifests = With(Upstream("shop", servers.Addresses));
        return await AroundAsync(manifests, async process =>
        {
            manifests.Write("upstreams.yaml", Upstream("shop", servers.Addresses, "sticky: { cokie: {} }"));
            await Eventually.HoldsAsync(async () => await SumAsync(process, "stickyingress_resource_diagnostics{severity=\"error\"") > 0, "the mistake is found", Stop);
        });
    }

    private static async Task<(string[] Before, string[] After)> CertificateAsync(TimeSpan life)
    {
        await using var servers = await Backends.StartAsync("a");
        using var manifests = With(
            Certificates.Secret("pair", "shop.test", life), $"{Upstream("shop", servers.Addresses)}\n  tls: [{{ hosts: [shop.test], secretName: pair }}]\n");
        return await AroundAsync(manifests, static _ => Task.CompletedTask, "--https", $"127.0.0.1:{FreePort.Next()}");
    }

    private static async Task<(string[] Before, string[] After)> KeysFileBreaksAsync()
    {
        using var manifests = With(Upstream("shop", ["127.0.0.1:1"]));
        var keys = manifests.PathOf("keys.txt");
        await File.WriteAllTextAsync(keys, "a key of sixteen bytes or more\n", Stop);
        return await AroundAsync(
            manifests,
            async process =>
            {
                await File.WriteAllTextAsync(keys, "short\n", Stop);
                await Eventually.HoldsAsync(async () => await process.MetricAsync("stickyingress_affinity_keys_current") == 0, "the file is read", Stop);
            },
            "--affinity-keys", keys);
    }

    private static async Task<(string[] Before, string[] After)> SessionFileIsNotWrittenAsync()
    {
        using var manifests = With(Upstream("shop", ["127.0.0.1:1"]));
        await File.WriteAllTextAsync(manifests.PathOf("keys.txt"), "a key of sixteen bytes or more\n", Stop);
        return await AroundAsync(
            manifests,
            process => Eventually.HoldsAsync(
                async () => await process.MetricAsync("stickyingress_session_file_last_success_timestamp_seconds") > 0, "the file was written once", Stop),
            "--affinity-keys", manifests.PathOf("keys.txt"), "--session-file", manifests.PathOf("sessions"), "--session-file-interval", "1s");
    }

    private static async Task<(string[] Before, string[] After)> SharedStoreIsKilledAsync()
    {
        await using var store = await RedisServer.StartAsync();
        using var manifests = With(Upstream("shop", ["127.0.0.1:1"]));
        await File.WriteAllTextAsync(manifests.PathOf("keys.txt"), "a key of sixteen bytes or more\n", Stop);
        return await AroundAsync(
            manifests,
            process =>
            {
                store.Kill();
                return Eventually.HoldsAsync(async () => await process.MetricAsync("stickyingress_session_sync_connected") == 0, "it is missed", Stop);
            },
            "--affinity-keys", manifests.PathOf("keys.txt"), "--sync-store", "redis://" + store.Address);
    }

    private static async Task<(string[] Before, string[] After)> StateFileIsForeignAsync()
    {
        using var manifests = With(Upstream("shop", ["127.0.0.1:1"]));
        await File.WriteAllTextAsync(manifests.PathOf("state"), "of another program\n", Stop);
        return await AroundAsync(manifests, static _ => Task.CompletedTask, "--state", manifests.PathOf("state"));
    }

    private static async Task<double> SumAsync(StickyProcess process, string series) =>
        (await process.MetricsAsync()).Where(line => line.StartsWith(series, StringComparison.Ordinal)).Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..]));
}
