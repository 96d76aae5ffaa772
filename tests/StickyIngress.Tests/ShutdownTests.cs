using Microsoft.AspNetCore.Http;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>How the process ends.</summary>
public sealed class ShutdownTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Requests_that_run_end_as_if_nothing_were(string signal)
    {
        var (arrived, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var slow = await TestBackend.StartAsync("slow", async context =>
        {
            await context.Response.WriteAsync("first,", Stop);
            await context.Response.Body.FlushAsync(Stop);
            arrived.TrySetResult();
            await go.Task;
            await context.Response.WriteAsync("last", Stop);
        });
        using var manifests = With(Upstream("shop", [slow.Address]));
        await using var process = await StickyProcess.ServeAsync(manifests);
        var asked = process.GetAsync("/shop");
        await arrived.Task;

        process.Signal(signal);
        await process.LogsAsync("Stopping");
        await Eventually.HoldsAsync(() => RefusesAsync(process), "no new connection is taken", Stop);
        // Longer than any default by which a library would give up.
        await Task.WhenAny(process.ExitAsync(), Task.Delay(TimeSpan.FromSeconds(3), Stop));
        Assert.False(process.HasExited);
        go.SetResult();

        Assert.Equal("first,last", await asked);
        Assert.Equal(0, await process.ExitAsync());
    }

    [Fact]
    public async Task Under_load_no_request_fails_before_the_port_is_closed()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var manifests = With(Upstream("shop", servers.Addresses));
        await using var process = await StickyProcess.ServeAsync(manifests, "--shutdown-grace", "1s");
        await using var load = Load.On(process, "/shop", clients: 8);
        await load.AnswersAsync(100);

        process.Signal("TERM");
        await process.LogsAsync("Stopping");
        using (var ready = await process.Admin.GetAsync("/readyz", Stop)) Assert.Equal(503, (int)ready.StatusCode);
        await load.AnswersAsync(20);
        await load.EndAsync(); // as a load balancer that has noticed sends no more

        Assert.Empty(load.Failures);
        Assert.Equal(0, await process.ExitAsync());
    }

    [Fact]
    public async Task In_the_grace_new_connections_work_and_are_closed_by_their_answers()
    {
        await using var server = await TestBackend.StartAsync("a");
        using var manifests = With(Upstream("shop", [server.Address]));
        await using var process = await StickyProcess.ServeAsync(manifests, "--shutdown-grace", "10m");
        using var before = await process.Client.GetAsync("/shop", Stop);

        process.Signal("TERM");
        await process.LogsAsync("Stopping");
        using var kept = await process.Client.GetAsync("/shop", Stop);
        using var other = await process.Client.GetAsync("/shop", Stop);

        Assert.Equal([null, true, true], new[] { before, kept, other }.Select(answer => answer.Headers.ConnectionClose));
        Assert.All([before, kept, other], answer => Assert.Equal(200, (int)answer.StatusCode));
        process.Signal("TERM");
        Assert.Equal(143, await process.ExitAsync());
    }

    [Fact]
    public async Task A_second_signal_ends_at_once()
    {
        var arrived = new TaskCompletionSource();
        await using var hangs = await TestBackend.StartAsync("hangs", async context =>
        {
            arrived.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        using var manifests = With(Upstream("shop", [hangs.Address]));
        await using var process = await StickyProcess.ServeAsync(manifests, "--drain-timeout", "10m");
        var asked = process.GetAsync("/shop");
        await arrived.Task;

        process.Signal("TERM");
        await process.LogsAsync("Stopping");
        process.Signal("TERM");

        Assert.Equal(143, await process.ExitAsync());
        await Assert.ThrowsAsync<HttpRequestException>(() => asked);
    }

    [Fact]
    public async Task What_hangs_is_cut_off_after_the_drain_timeout()
    {
        var arrived = new TaskCompletionSource();
        await using var hangs = await TestBackend.StartAsync("hangs", async context =>
        {
            arrived.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        using var manifests = With(Upstream("shop", [hangs.Address]));
        await using var process = await StickyProcess.ServeAsync(manifests, "--drain-timeout", "200ms");
        var asked = process.GetAsync("/shop");
        await arrived.Task;

        Assert.Equal(0, await process.StopAsync());
        await Assert.ThrowsAsync<HttpRequestException>(() => asked);
    }

    private static async Task<bool> RefusesAsync(StickyProcess process)
    {
        try
        {
            using var client = new TestClient(process.Http);
            await client.ConnectAsync(Stop);
            return false;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return true;
        }
    }
}
