using System.IO.Pipelines;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests.Sessions;

/// <summary>Websockets and gRPC streams: they follow the session, and hold its server for as long as they are open.</summary>
public sealed class OpenStreamTests
{
    private const string Sticky = "sticky: { learn: { create: [$http_x_session], lookup: [$http_x_session], maxSessions: 9, timeout: 1s, header: true } }";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_open_stream_keeps_its_leaving_server_until_it_ends(bool grpc)
    {
        var protocols = grpc ? HttpProtocols.Http2 : HttpProtocols.Http1;
        await using var a = await TestBackend.StartAsync("a", grpc ? c => EchoGrpcAsync(c, "a") : c => EchoSocketAsync(c, "a"), protocols);
        await using var b = await TestBackend.StartAsync("b", grpc ? c => EchoGrpcAsync(c, "b") : c => EchoSocketAsync(c, "b"), protocols);
        var more = grpc ? Sticky + "\nproxy: { protocol: H2C }" : Sticky;
        using var manifests = With(Upstream("u", [a.Address, b.Address], more));
        var h2c = FreePort.Next();
        await using var process = await StickyProcess.ServeAsync(manifests, "--h2c", $"127.0.0.1:{h2c}");
        Task<IEcho> Open(string session) => grpc ? GrpcEcho.OpenAsync(h2c, session) : SocketEcho.OpenAsync(process.Http, session);

        await using var mine = await Open("mine");
        Assert.Equal("a: 1", await mine.SayAsync("1"));
        manifests.Replace("upstreams.yaml", Upstream("u", [a.Address + ", drain: true", b.Address], more));
        await Eventually.HoldsAsync(async () => await process.MetricAsync(State(a, "draining")) == 1, "a is draining", Stop);

        // The session's timeout has passed by then; what is open still counts.
        Assert.Equal("timeout", await DrainAsync(process, a, "2s"));
        Assert.Equal("a: 2", await mine.SayAsync("2"));
        await using (var stranger = await Open("other")) Assert.Equal("b: 3", await stranger.SayAsync("3"));

        await mine.DisposeAsync();
        Assert.Equal("drained", await DrainAsync(process, a, "30s"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_second_stream_of_a_session_goes_where_the_first_is(bool grpc)
    {
        var protocols = grpc ? HttpProtocols.Http2 : HttpProtocols.Http1;
        await using var a = await TestBackend.StartAsync("a", grpc ? c => EchoGrpcAsync(c, "a") : c => EchoSocketAsync(c, "a"), protocols);
        await using var b = await TestBackend.StartAsync("b", grpc ? c => EchoGrpcAsync(c, "b") : c => EchoSocketAsync(c, "b"), protocols);
        var more = (grpc ? Sticky + "\nproxy: { protocol: H2C }" : Sticky).Replace("1s", "1h", StringComparison.Ordinal);
        using var manifests = With(Upstream("u", [a.Address, b.Address], more));
        var h2c = FreePort.Next();
        await using var process = await StickyProcess.ServeAsync(manifests, "--h2c", $"127.0.0.1:{h2c}");
        Task<IEcho> Open(string session) => grpc ? GrpcEcho.OpenAsync(h2c, session) : SocketEcho.OpenAsync(process.Http, session);

        await using var first = await Open("mine");
        Assert.Equal("a: 1", await first.SayAsync("1"));
        await using var second = await Open("mine");
        Assert.Equal("a: 2", await second.SayAsync("2"));

        Assert.Equal(1, await process.MetricAsync($"stickyingress_affinity_sessions{{{Labels(a)}}}"));
        Assert.Equal(2, await process.MetricAsync($"stickyingress_peer_connections{{{Labels(a)},state=\"active\"}}"));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task A_session_does_not_end_while_its_stream_is_open(bool grpc, bool header)
    {
        await using var a = grpc
            ? await TestBackend.StartAsync("a", context => EchoGrpcAsync(context, "a"), HttpProtocols.Http2)
            : await TestBackend.StartAsync("a", context => EchoSocketAsync(context, "a"));
        var sticky = Sticky.Replace("header: true", header ? "header: true" : "header: false", StringComparison.Ordinal);
        using var manifests = With(Upstream("u", [a.Address], grpc ? sticky + "\nproxy: { protocol: H2C }" : sticky));
        var h2c = FreePort.Next();
        await using var process = await StickyProcess.ServeAsync(manifests, "--h2c", $"127.0.0.1:{h2c}");
        Task<IEcho> Open(string session) => grpc ? GrpcEcho.OpenAsync(h2c, session) : SocketEcho.OpenAsync(process.Http, session);
        await (await Open("mine")).DisposeAsync();
        await Eventually.HoldsAsync(() => IsKnownAsync(process, "mine"), "the session is learned", Stop);

        await using var mine = await Open("mine");
        Assert.Equal("a: 1", await mine.SayAsync("1"));
        await OutliveAsync(process, async () => await (await Open("short")).DisposeAsync());
        Assert.True(await IsKnownAsync(process, "mine"));

        await mine.DisposeAsync();
        await Eventually.HoldsAsync(async () => !await IsKnownAsync(process, "mine"), "the session ends when nothing of it is open", Stop);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_session_does_not_end_while_its_body_goes_on(bool upload)
    {
        var over = new TaskCompletionSource();
        await using var a = await TestBackend.StartAsync("a", async context =>
        {
            if (context.Request.Method == "POST") await context.Request.Body.CopyToAsync(Stream.Null, Stop);
            await context.Response.Body.FlushAsync(Stop);
            if (context.Request.Path == "/u/long") await over.Task.WaitAsync(Stop);
        });
        using var manifests = With(Upstream("u", [a.Address], Sticky + "\nproxy: { maxBodySize: 0, requestBuffer: 0 }"));
        await using var process = await StickyProcess.ServeAsync(manifests);
        using var client = new HttpClient { BaseAddress = new($"http://{process.Http}") };
        Task<HttpResponseMessage> Ask(HttpMethod method, string path, string session, HttpContent? body = null) => client.SendAsync(
            new HttpRequestMessage(method, path) { Headers = { { "X-Session", session } }, Content = body }, HttpCompletionOption.ResponseHeadersRead, Stop);
        using (await Ask(HttpMethod.Get, "/u", "mine")) Assert.True(await IsKnownAsync(process, "mine"));

        var words = new Pipe();
        var open = upload ? Ask(HttpMethod.Post, "/u", "mine", new OpenContent(words.Reader)) : Ask(HttpMethod.Get, "/u/long", "mine");
        await Eventually.HoldsAsync(() => a.Requests.Count == 2, "the request is with the server", Stop);
        await OutliveAsync(process, async () => (await Ask(HttpMethod.Get, "/u", "short")).Dispose());
        Assert.True(await IsKnownAsync(process, "mine"));

        over.SetResult();
        await words.Writer.CompleteAsync();
        using var response = await open;
        await response.Content.ReadAsByteArrayAsync(Stop);
        await Eventually.HoldsAsync(async () => !await IsKnownAsync(process, "mine"), "the session ends when nothing of it is open", Stop);
    }

    /// <summary>Two sessions that nothing is open of come and end, one after the other.</summary>
    /// <param name="use">Makes the session.</param>
    private static async Task OutliveAsync(StickyProcess process, Func<Task> use)
    {
        for (var i = 0; i < 2; i++)
        {
            await use();
            await Eventually.HoldsAsync(() => IsKnownAsync(process, "short"), "the session is learned", Stop);
            await Eventually.HoldsAsync(async () => !await IsKnownAsync(process, "short"), "the session ends", Stop);
        }
    }

    private static async Task<bool> IsKnownAsync(StickyProcess process, string session)
    {
        using var said = JsonDocument.Parse(await process.Admin.GetStringAsync($"/api/v1/sessions/default/u?key={session}", Stop));
        return said.RootElement.GetProperty("session").GetProperty("known").GetBoolean();
    }

    private static string Labels(TestBackend peer) => $"namespace=\"default\",upstream=\"u\",peer=\"{peer.Address}\"";

    private static string State(TestBackend peer, string state) => $"stickyingress_peer_state{{{Labels(peer)},state=\"{state}\"}}";

    private static async Task<string?> DrainAsync(StickyProcess process, TestBackend peer, string timeout)
    {
        using var response = await process.Admin.GetAsync($"/drain/default/u/{peer.Address}?timeout={timeout}", Stop);
        using var said = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Stop));
        return said.RootElement.GetProperty("state").GetString();
    }

    private static async Task EchoSocketAsync(HttpContext context, string name)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[100];
        while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: WebSocketMessageType.Text } received)
        {
            var answer = Encoding.UTF8.GetBytes($"{name}: {Encoding.UTF8.GetString(buffer, 0, received.Count)}");
            await socket.SendAsync(answer, WebSocketMessageType.Text, true, context.RequestAborted);
        }
    }

    private static async Task EchoGrpcAsync(HttpContext context, string name)
    {
        context.Response.ContentType = "application/grpc";
        context.Response.DeclareTrailer("grpc-status");
        await context.Response.Body.FlushAsync(context.RequestAborted);
        var buffer = new byte[100];
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var length)
        {
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($"{name}: {Encoding.UTF8.GetString(buffer, 0, length)}"), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }

        context.Response.AppendTrailer("grpc-status", "0");
    }

    /// <summary>A stream that is open until it is disposed of.</summary>
    private interface IEcho : IAsyncDisposable
    {
        Task<string> SayAsync(string word);
    }

    private sealed class SocketEcho(ClientWebSocket socket) : IEcho
    {
        public static async Task<IEcho> OpenAsync(IPEndPoint proxy, string session)
        {
            var socket = new ClientWebSocket();
            socket.Options.SetRequestHeader("X-Session", session);
            await socket.ConnectAsync(new Uri($"ws://{proxy}/u"), Stop);
            return new SocketEcho(socket);
        }

        public async Task<string> SayAsync(string word)
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(word), WebSocketMessageType.Text, true, Stop);
            var buffer = new byte[100];
            var received = await socket.ReceiveAsync(buffer, Stop);
            return Encoding.UTF8.GetString(buffer, 0, received.Count);
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private sealed class GrpcEcho(HttpClient client, HttpResponseMessage response, Stream answers, PipeWriter requests) : IEcho
    {
        public static async Task<IEcho> OpenAsync(int port, string session)
        {
            var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            var pipe = new Pipe();
            var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{port}/u/Chat")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new OpenContent(pipe.Reader) { Headers = { ContentType = new("application/grpc") } },
                Headers = { { "X-Session", session }, { "TE", "trailers" } },
            };
            var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
            return new GrpcEcho(client, response, await response.Content.ReadAsStreamAsync(Stop), pipe.Writer);
        }

        public async Task<string> SayAsync(string word)
        {
            await requests.WriteAsync(Encoding.UTF8.GetBytes(word), Stop);
            var buffer = new byte[100];
            return Encoding.UTF8.GetString(buffer, 0, await answers.ReadAsync(buffer, Stop));
        }

        public async ValueTask DisposeAsync()
        {
            await requests.CompleteAsync();
            response.Dispose();
            client.Dispose();
        }
    }

    /// <summary>A request body that goes on while the response comes, which the contents of the library do not.</summary>
    private sealed class OpenContent(PipeReader words) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync(Stop); // the headers alone
            while (await words.ReadAsync(Stop) is { IsCompleted: false } read)
            {
                await stream.WriteAsync(read.Buffer.First, Stop);
                await stream.FlushAsync(Stop);
                words.AdvanceTo(read.Buffer.End);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
