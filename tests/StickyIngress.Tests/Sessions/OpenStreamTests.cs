using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests.Sessions;

/// <summary>Websockets: they follow the session, and hold its server for as long as they are open.</summary>
public sealed class OpenStreamTests
{
    private const string Sticky = "sticky: { learn: { create: [$http_x_session], lookup: [$http_x_session], maxSessions: 9, timeout: 1s, header: true } }";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_open_stream_keeps_its_leaving_server_until_it_ends()
    {
        await using var a = await TestBackend.StartAsync("a", context => EchoAsync(context, "a"));
        await using var b = await TestBackend.StartAsync("b", context => EchoAsync(context, "b"));
        using var manifests = With(Upstream("u", [a.Address, b.Address], Sticky));
        await using var process = await StickyProcess.ServeAsync(manifests);

        using var mine = await Echo.OpenAsync(process, "mine");
        Assert.Equal("a: 1", await mine.SayAsync("1"));
        manifests.Replace("upstreams.yaml", Upstream("u", [a.Address + ", drain: true", b.Address], Sticky));
        await Eventually.HoldsAsync(async () => await process.MetricAsync(State(a, "draining")) == 1, "a is draining", Stop);

        // The session's timeout has passed by then; what is open still counts.
        Assert.Equal("timeout", await DrainAsync(process, a, "2s"));
        Assert.Equal("a: 2", await mine.SayAsync("2"));
        using (var stranger = await Echo.OpenAsync(process, "other")) Assert.Equal("b: 3", await stranger.SayAsync("3"));

        mine.Dispose();
        Assert.Equal("drained", await DrainAsync(process, a, "30s"));
    }

    [Fact]
    public async Task A_second_stream_of_a_session_goes_where_the_first_is()
    {
        await using var a = await TestBackend.StartAsync("a", context => EchoAsync(context, "a"));
        await using var b = await TestBackend.StartAsync("b", context => EchoAsync(context, "b"));
        var longer = Sticky.Replace("1s", "1h", StringComparison.Ordinal);
        using var manifests = With(Upstream("u", [a.Address, b.Address], longer));
        await using var process = await StickyProcess.ServeAsync(manifests);

        using var first = await Echo.OpenAsync(process, "mine");
        Assert.Equal("a: 1", await first.SayAsync("1"));
        using var second = await Echo.OpenAsync(process, "mine");
        Assert.Equal("a: 2", await second.SayAsync("2"));

        Assert.Equal(1, await process.MetricAsync($"stickyingress_affinity_sessions{{{Labels(a)}}}"));
        Assert.Equal(2, await process.MetricAsync($"stickyingress_peer_connections{{{Labels(a)},state=\"active\"}}"));
    }

    private static string Labels(TestBackend peer) => $"namespace=\"default\",upstream=\"u\",peer=\"{peer.Address}\"";

    private static string State(TestBackend peer, string state) => $"stickyingress_peer_state{{{Labels(peer)},state=\"{state}\"}}";

    private static async Task<string?> DrainAsync(StickyProcess process, TestBackend peer, string timeout)
    {
        using var response = await process.Admin.GetAsync($"/drain/default/u/{peer.Address}?timeout={timeout}", Stop);
        using var said = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Stop));
        return said.RootElement.GetProperty("state").GetString();
    }

    private static async Task EchoAsync(HttpContext context, string name)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[100];
        while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: WebSocketMessageType.Text } received)
        {
            var answer = Encoding.UTF8.GetBytes($"{name}: {Encoding.UTF8.GetString(buffer, 0, received.Count)}");
            await socket.SendAsync(answer, WebSocketMessageType.Text, true, context.RequestAborted);
        }
    }

    /// <summary>A stream that is open until it is disposed of.</summary>
    private sealed class Echo(ClientWebSocket socket) : IDisposable
    {
        public static async Task<Echo> OpenAsync(StickyProcess process, string session)
        {
            var socket = new ClientWebSocket();
            socket.Options.SetRequestHeader("X-Session", session);
            await socket.ConnectAsync(new Uri($"ws://{process.Http}/u"), Stop);
            return new Echo(socket);
        }

        public async Task<string> SayAsync(string word)
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(word), WebSocketMessageType.Text, true, Stop);
            var buffer = new byte[100];
            var received = await socket.ReceiveAsync(buffer, Stop);
            return Encoding.UTF8.GetString(buffer, 0, received.Count);
        }

        public void Dispose() => socket.Dispose();
    }
}
