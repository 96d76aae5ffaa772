using System.Diagnostics;
using System.Text.Json;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>Servers that follow their names, asked for at dnsmasq.</summary>
public sealed class DnsmasqTests : IDisposable
{
    private readonly int _port = FreePort.Next();
    private Process? _dnsmasq;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Resolver => $$"""resolver: { addresses: ["127.0.0.1:{{_port}}"], ipv6: false, timeout: 1s, statusZone: dns }""";

    public void Dispose()
    {
        StopDnsmasq();
        _dnsmasq?.Dispose();
    }

    [Fact]
    public async Task A_service_is_followed_with_its_ports_weights_and_priorities()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        StartDnsmasq("--host-record=here.test,127.0.0.1", Record(servers[0], 10, 3), Record(servers[1], 10, 1), Record(servers[2], 20, 5));
        using var manifests = With(Upstream("u", ["shop.test, resolve: true, srv: http"], Resolver));
        await using var process = await StickyProcess.ServeAsync(manifests);

        await PeersAsync(process, $"{servers[0].Address} 3", $"{servers[1].Address} 1", $"{servers[2].Address} 5 backup");
        Assert.Equal(["a", "a", "a", "b"], await AskAsync(process, 4));

        StartDnsmasq("--host-record=here.test,127.0.0.1", Record(servers[2], 10, 1), Record(servers[1], 10, 1));
        await PeersAsync(process, $"{servers[1].Address} 1", $"{servers[2].Address} 1");
        Assert.Equal(["b", "b", "c", "c"], await AskAsync(process, 4));
    }

    [Fact]
    public async Task Addresses_stay_while_the_name_or_its_server_is_gone_and_change_when_it_is_back()
    {
        await using var servers = await Backends.StartAsync("a");
        var port = servers[0].EndPoint.Port;
        StartDnsmasq("--host-record=shop.test,127.0.0.1");
        using var manifests = With(Upstream("u", [$"shop.test:{port}, resolve: true"], Resolver));
        await using var process = await StickyProcess.ServeAsync(manifests);
        await PeersAsync(process, $"127.0.0.1:{port} 1");

        StopDnsmasq();
        await DiagnosedAsync(process, "HostNotResolved");
        Assert.Equal(["a"], await AskAsync(process, 1));

        StartDnsmasq("--host-record=other.test,127.0.0.1");
        await Eventually.HoldsAsync(async () => await process.MetricAsync("stickyingress_resolver_responses_total{zone=\"dns\",outcome=\"nxdomain\"}") > 0, "NXDOMAIN came", Stop);
        Assert.Equal(["a"], await AskAsync(process, 1));

        StartDnsmasq("--host-record=shop.test,127.0.0.2");
        await PeersAsync(process, $"127.0.0.2:{port} 1");
    }

    private static string Record(TestBackend backend, int priority, int weight) => $"--srv-host=_http._tcp.shop.test,here.test,{backend.EndPoint.Port},{priority},{weight}";

    private static async Task<string[]> AskAsync(StickyProcess process, int times)
    {
        var answers = new string[times];
        for (var i = 0; i < times; i++) answers[i] = await process.GetAsync("/u");
        return [.. answers.Order()];
    }

    private static Task PeersAsync(StickyProcess process, params string[] expected) => Eventually.HoldsAsync(
        async () => (await process.ApiAsync("upstreams/default/u")).GetProperty("peers").EnumerateArray().Select(Text).Order().SequenceEqual(expected.Order()),
        $"the peers are {string.Join(", ", expected)}", Stop);

    private static string Text(JsonElement peer) =>
        $"{peer.GetProperty("address").GetString()} {peer.GetProperty("weight").GetInt32()}{(peer.GetProperty("backup").GetBoolean() ? " backup" : "")}";

    private static Task DiagnosedAsync(StickyProcess process, string reason) => Eventually.HoldsAsync(
        async () => (await process.ApiAsync("diagnostics")).EnumerateArray().Any(found => found.GetProperty("reason").GetString() == reason), $"{reason} is told", Stop);

    /// <summary>In place of the one before: it reads its records only when it starts.</summary>
    private void StartDnsmasq(params string[] records)
    {
        StopDnsmasq();
        var start = new ProcessStartInfo("dnsmasq",
        [
            "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--no-resolv", "--no-hosts", "--no-poll", "--local=/test/", "--local-ttl=1",
            "--listen-address=127.0.0.1", "--bind-interfaces", $"--port={_port}", $"--user={Environment.UserName}", "--log-facility=-", .. records,
        ])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
        };
        try
        {
            _dnsmasq = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("dnsmasq is missing (Debian package dnsmasq-base)");
        }
    }

    private void StopDnsmasq()
    {
        if (_dnsmasq is not { HasExited: false }) return;

        _dnsmasq.Kill();
        _dnsmasq.WaitForExit();
    }
}
