using Microsoft.AspNetCore.Http;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>What /metrics says of what goes on just now.</summary>
public sealed class OngoingTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_that_run_and_wait_show_until_they_end()
    {
        await using var site = await Site.StartAsync();

        var running = site.Process.GetAsync("/full");
        await site.ShowsAsync("stickyingress_http_requests_in_flight 1");
        var waiting = site.Process.GetAsync("/full");
        await site.ShowsAsync("stickyingress_http_requests_in_flight 2");
        await site.ShowsAsync("stickyingress_upstream_queue_length{namespace=\"default\",upstream=\"full\"} 1");
        await site.ShowsAsync($"stickyingress_peer_connections{{{site.Peer("full")},state=\"active\"}} 1");
        site.Release();

        Assert.Equal(["done", "done"], await Task.WhenAll(running, waiting));
        await site.ShowsAsync("stickyingress_http_requests_in_flight 0");
        await site.ShowsAsync("stickyingress_upstream_queue_length{namespace=\"default\",upstream=\"full\"} 0");
        await site.ShowsAsync($"stickyingress_peer_connections{{{site.Peer("full")},state=\"active\"}} 0");
        await site.ShowsAsync($"stickyingress_peer_connections{{{site.Peer("full")},state=\"idle\"}} 1");
    }

    [Theory]
    [InlineData("available")]
    [InlineData("draining")]
    [InlineData("down")]
    [InlineData("unhealthy")]
    [InlineData("suspended")]
    [InlineData("slow_start")]
    [InlineData("full")]
    public async Task A_state_of_a_peer_shows(string state)
    {
        await using var site = await Site.StartAsync();
        if (state == "suspended") await site.Process.Client.GetAsync("/suspended", Stop);
        var running = state == "full" ? site.Process.GetAsync("/full") : Task.FromResult("");
        if (state == "slow_start") site.AddSlowPeer();

        await site.ShowsAsync($"stickyingress_peer_state{{{site.Peer(state)},state=\"{state}\"}} 1");
        if (state != "available") await site.ShowsAsync($"stickyingress_peer_state{{{site.Peer("available")},state=\"{state}\"}} 0");

        site.Release();
        await running;
    }

    /// <summary>A process with an upstream for each state that a peer may be in, and a server that answers when it is told to.</summary>
    private sealed class Site(TestBackend server, TaskCompletionSource released, Manifests manifests, StickyProcess process) : IAsyncDisposable
    {
        private static readonly string Refused = $"127.0.0.1:{FreePort.Next()}";

        public StickyProcess Process => process;

        public static async Task<Site> StartAsync()
        {
            var released = new TaskCompletionSource();
            var server = await TestBackend.StartAsync("a", async context =>
            {
                await released.Task;
                await context.Response.WriteAsync("done", Stop);
            });
            var manifests = With(
                Upstream("available", [server.Address]),
                Upstream("draining", [server.Address + ", drain: true"]),
                Upstream("down", [server.Address + ", down: true"]),
                Upstream("unhealthy", [Refused], "healthCheck: { interval: 50ms }"),
                Upstream("suspended", [Refused, Refused.Replace("127.0.0.1", "127.0.0.2", StringComparison.Ordinal)]),
                Upstream("slow", ["127.0.0.1:1"]),
                Upstream("full", [server.Address + ", maxConns: 1"], "queue: { size: 1 }"));
            return new(server, released, manifests, await StickyProcess.ServeAsync(manifests));
        }

        public void AddSlowPeer() =>
            manifests.Replace("upstreams.yaml", Upstream("available", [server.Address]), Upstream("slow", ["127.0.0.1:1", server.Address + ", slowStart: 1h"]));

        public void Release() => released.TrySetResult();

        public string Peer(string upstream)
        {
            if (upstream == "slow_start") upstream = "slow";
            var address = upstream is "unhealthy" or "suspended" ? Refused : server.Address;
            return $"namespace=\"default\",upstream=\"{upstream}\",peer=\"{address}\"";
        }

        public Task ShowsAsync(string line) => Eventually.HoldsAsync(async () => (await process.MetricsAsync()).Contains(line), line, Stop);

        public async ValueTask DisposeAsync()
        {
            await process.DisposeAsync();
            await server.DisposeAsync();
            manifests.Dispose();
        }
    }
}
