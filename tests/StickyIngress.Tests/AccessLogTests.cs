using System.Text.Json;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>What stands on standard output.</summary>
public sealed class AccessLogTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_request_is_one_line_of_JSON()
    {
        await using var servers = await Backends.StartAsync("a");
        using var manifests = With(Upstream("shop", servers.Addresses, "sticky: { cookie: { name: c } }"));
        await using var process = await StickyProcess.ServeAsync(manifests);
        string[] targets = ["/shop", "/shop/%0a%22quoted%22?q=\"x\"", "/nobody"];

        foreach (var target in targets)
            await TestClient.ExchangeAsync(process.Http, $"GET {target} HTTP/1.1\r\nHost: h\r\nUser-Agent: \"a\\b\t\u00ff\r\nConnection: close\r\n\r\n", Stop);
        await Eventually.HoldsAsync(() => process.Output.Count == targets.Length, "every line is written", Stop);

        var lines = process.Output.Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal(["200", "200", "404"], lines.Select(line => line.GetProperty("status").ToString()));
        Assert.Equal(targets[1], lines[1].GetProperty("uri").GetString());
        Assert.Equal("default/shop", lines[0].GetProperty("upstream").GetString());
        Assert.Equal(servers[0].Address, lines[0].GetProperty("upstream_addr").GetString());
        Assert.Equal("new", lines[0].GetProperty("sticky_outcome").GetString());
    }

    [Fact]
    public async Task A_format_says_what_stands_in_a_line()
    {
        await using var servers = await Backends.StartAsync("a");
        using var manifests = With(Upstream("shop", servers.Addresses));
        await using var process = await StickyProcess.ServeAsync(manifests, "--access-log", "$request_method $uri $status [$upstream_addr] $arg_q");

        await process.GetAsync("/shop?q=1");
        await Eventually.HoldsAsync(() => process.Output.Count == 1, "a line is written", Stop);

        Assert.Equal($"GET /shop 200 [{servers[0].Address}] 1", process.Output[0]);
    }

    [Fact]
    public async Task Off_writes_nothing()
    {
        await using var servers = await Backends.StartAsync("a");
        using var manifests = With(Upstream("shop", servers.Addresses));
        await using var process = await StickyProcess.ServeAsync(manifests, "--access-log", "off");

        await process.GetAsync("/shop");
        Assert.Equal(0, await process.StopAsync());

        Assert.Empty(process.Output);
    }
}
