using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>HTTP/2 without TLS, from clients and to peers.</summary>
public sealed class Http2Tests
{
    /// <summary>GET /shop in HPACK: indexed fields, then literals with indexed names.</summary>
    private static byte[] GetShop => [0x82, 0x86, 0x04, 5, .. "/shop"u8, 0x01, 9, .. "shop.test"u8];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_gRPC_call_goes_through_with_its_trailers()
    {
        await using var grpc = await TestBackend.StartAsync("grpc", EchoAsync, HttpProtocols.Http2);
        using var manifests = With(Upstream("echo", [grpc.Address], "proxy: { protocol: H2C }"));
        var h2c = FreePort.Next();
        await using var process = await StickyProcess.ServeAsync(manifests, "--h2c", $"127.0.0.1:{h2c}");
        using var client = Http2Client(h2c);

        using var request = new HttpRequestMessage(HttpMethod.Post, "/echo/Say") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent([0, 0, 0, 0, 2, 8, 1]) };
        request.Content.Headers.ContentType = new("application/grpc");
        request.Headers.TE.Add(new("trailers"));
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        var body = await response.Content.ReadAsByteArrayAsync(Stop);

        Assert.Equal((HttpVersion.Version20, HttpStatusCode.OK), (response.Version, response.StatusCode));
        Assert.Equal("application/grpc", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal([0, 0, 0, 0, 2, 8, 1], body);
        Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
        Assert.Equal("POST /echo/Say", grpc.Requests.Single());
    }

    [Theory]
    [InlineData(HttpProtocols.Http2, "H2C", "application/grpc")]
    [InlineData(HttpProtocols.Http2, "H2C", "application/connect+proto")]
    [InlineData(HttpProtocols.Http1, "HTTP", "application/octet-stream")]
    public async Task A_stream_carries_messages_both_ways_while_it_is_open(HttpProtocols protocols, string protocol, string type)
    {
        await using var echo = await TestBackend.StartAsync("echo", EchoPiecesAsync, protocols);
        using var manifests = With(Upstream("echo", [echo.Address], $"proxy: {{ protocol: {protocol} }}"));
        var h2c = FreePort.Next();
        await using var process = await StickyProcess.ServeAsync(manifests, "--h2c", $"127.0.0.1:{h2c}");
        using var client = Http2Client(h2c);
        using var content = new OpenContent { Headers = { ContentType = new(type) } };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/echo") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = content };

        var asked = client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        await content.SendAsync("one", Stop);
        using var response = await asked;
        await using var answer = await response.Content.ReadAsStreamAsync(Stop);
        var first = await ReadAsync(answer, 3);
        await content.SendAsync("two", Stop);
        var second = await ReadAsync(answer, 3);
        content.End();

        Assert.Equal(("one", "two"), (first, second));
        Assert.Equal(0, await answer.ReadAsync(new byte[1], Stop));
    }

    [Fact]
    public async Task A_client_of_HTTP_2_is_served_by_a_peer_of_HTTP_1_1()
    {
        await using var old = await TestBackend.StartAsync("old", context => context.Response.WriteAsync($"{context.Request.Protocol} {context.Request.Host}"));
        using var manifests = With(Upstream("shop", [old.Address]));
        var h2c = FreePort.Next();
        await using var process = await StickyProcess.ServeAsync(manifests, "--h2c", $"127.0.0.1:{h2c}");
        using var client = Http2Client(h2c);

        using var response = await client.GetAsync("/shop", Stop);

        Assert.Equal(HttpVersion.Version20, response.Version);
        Assert.Equal("HTTP/1.1 127.0.0.1", await response.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task A_client_of_HTTP_1_1_is_served_by_a_peer_of_HTTP_2()
    {
        await using var young = await TestBackend.StartAsync("young", context => context.Response.WriteAsync(context.Request.Protocol), HttpProtocols.Http2);
        using var manifests = With(Upstream("shop", [young.Address], "proxy: { protocol: H2C }"));
        await using var process = await StickyProcess.ServeAsync(manifests);

        Assert.Equal("HTTP/2", await process.GetAsync("/shop"));
    }

    [Fact]
    public async Task Stopping_says_goaway_and_lets_the_stream_that_runs_end()
    {
        var (arrived, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var slow = await TestBackend.StartAsync("slow", async context =>
        {
            arrived.TrySetResult();
            await go.Task;
            await context.Response.WriteAsync("done", Stop);
        });
        using var manifests = With(Upstream("shop", [slow.Address]));
        var h2c = FreePort.Next();
        await using var process = await StickyProcess.ServeAsync(manifests, "--h2c", $"127.0.0.1:{h2c}");
        using var client = new TestClient(new(IPAddress.Loopback, h2c));
        var wire = new Http2Wire(await client.ConnectAsync(Stop), Stop);
        await wire.RequestAsync(id: 1, GetShop);
        await arrived.Task;

        process.Signal("TERM");
        await wire.ReadAsync(Http2FrameType.GoAway);
        go.SetResult();
        var body = await wire.ReadAsync(Http2FrameType.Data);
        client.Dispose(); // as after a goaway; the server waits for it until its drain timeout

        Assert.Equal("done"u8, body.Payload);
        Assert.Equal(0, await process.ExitAsync());
    }

    private static HttpClient Http2Client(int port) => new(new SocketsHttpHandler { UseProxy = false })
    {
        BaseAddress = new($"http://127.0.0.1:{port}"),
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    private static async Task<string> ReadAsync(Stream stream, int count)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes, Stop);
        return Encoding.ASCII.GetString(bytes);
    }

    private static async Task EchoPiecesAsync(HttpContext context)
    {
        var buffer = new byte[100];
        while (await context.Request.Body.ReadAsync(buffer, Stop) is > 0 and var read)
        {
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), Stop);
            await context.Response.Body.FlushAsync(Stop);
        }
    }

    private static async Task EchoAsync(HttpContext context)
    {
        context.Response.StatusCode = context.Request.Headers.TE == "trailers" ? 200 : 400; // as gRPC servers do
        context.Response.ContentType = "application/grpc";
        context.Response.DeclareTrailer("grpc-status");
        await context.Request.Body.CopyToAsync(context.Response.Body);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    /// <summary>A body to which the test adds until it says that it ends.</summary>
    private sealed class OpenContent : HttpContent
    {
        private readonly TaskCompletionSource<Stream> _stream = new();
        private readonly TaskCompletionSource _ended = new();

        public async Task SendAsync(string piece, CancellationToken cancellationToken)
        {
            var stream = await _stream.Task.WaitAsync(cancellationToken);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(piece), cancellationToken);
            await stream.FlushAsync(cancellationToken);
        }

        public void End() => _ended.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            _stream.SetResult(stream);
            await _ended.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
