using System.Net;
using System.Text.Json;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests.Sessions;

/// <summary>What a preStop hook gets from the admin port.</summary>
public sealed class DrainTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Waits_until_the_last_session_is_over()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var manifests = With(Shop(servers));
        await using var process = await StickyProcess.ServeAsync(manifests);
        await process.GetAsync("/u?s=1");
        manifests.Replace("upstreams.yaml", Shop(servers, ", drain: true"));

        var (status, state) = await DrainAsync(process, servers[0].Address);

        Assert.Equal((HttpStatusCode.OK, "drained"), (status, state));
        Assert.Equal(0, await process.MetricAsync($"stickyingress_affinity_sessions{{namespace=\"default\",upstream=\"u\",peer=\"{servers[0].Address}\"}}"));
    }

    [Fact]
    public async Task A_hook_that_runs_before_the_mark_waits_for_it()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var manifests = With(Shop(servers));
        await using var process = await StickyProcess.ServeAsync(manifests);

        var hook = DrainAsync(process, servers[0].Address);
        manifests.Replace("upstreams.yaml", Shop(servers, ", drain: true"));

        Assert.Equal((HttpStatusCode.OK, "drained"), await hook);
    }

    [Fact]
    public async Task A_peer_that_goes_meanwhile_is_done_with()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var manifests = With(Shop(servers));
        await using var process = await StickyProcess.ServeAsync(manifests);

        var hook = DrainAsync(process, servers[0].Address);
        manifests.Replace("upstreams.yaml", Upstream("u", [servers[1].Address]));

        Assert.Equal((HttpStatusCode.OK, "gone"), await hook);
    }

    [Fact]
    public async Task The_deadline_ends_the_wait()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var manifests = With(Shop(servers, timeout: "10m"));
        await using var process = await StickyProcess.ServeAsync(manifests);
        foreach (var session in new[] { "1", "2" }) await process.GetAsync("/u?s=" + session);
        manifests.Replace("upstreams.yaml", Shop(servers, ", drain: true", "10m"));

        Assert.Equal((HttpStatusCode.OK, "timeout"), await DrainAsync(process, servers[0].Address, "?timeout=2s"));
    }

    [Theory]
    [InlineData("127.0.0.1:1", "", HttpStatusCode.NotFound)]
    [InlineData(null, "?timeout=200ms", HttpStatusCode.Conflict)]
    [InlineData(null, "?timeout=soon", HttpStatusCode.BadRequest)]
    public async Task What_cannot_be_drained_is_told(string? peer, string query, HttpStatusCode expected)
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var manifests = With(Shop(servers));
        await using var process = await StickyProcess.ServeAsync(manifests);

        Assert.Equal((expected, null), await DrainAsync(process, peer ?? servers[0].Address, query));
    }

    private static string Shop(Backends servers, string first = "", string timeout = "2s") => Upstream(
        "u", servers.Addresses.Select((address, i) => i == 0 ? address + first : address),
        $"sticky: {{ learn: {{ create: [$arg_s], lookup: [$arg_s], maxSessions: 1000, timeout: {timeout}, header: true }} }}");

    private static async Task<(HttpStatusCode Status, string? State)> DrainAsync(StickyProcess process, string peer, string query = "?timeout=30s")
    {
        using var response = await process.Admin.GetAsync($"/drain/default/u/{peer}{query}", Stop);
        using var said = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Stop));
        return (response.StatusCode, said.RootElement.TryGetProperty("state", out var state) ? state.GetString() : null);
    }
}
