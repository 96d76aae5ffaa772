using System.Net.Security;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests;

/// <summary>Clients that stay and take nothing more of what is sent to them, over each kind of connection: nginx's <c>send_timeout</c>.</summary>
public abstract class StalledClientTests(PeerEngine engine)
{
    private const string Get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    private const string Post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab";
    private const string Upgrade = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
    private const string Large = "HTTP/1.1 200 OK\r\nContent-Length: 134217728\r\n\r\n";
    private const string Switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
    private const int Length = 128 * 1024 * 1024;

    /// <summary>GET https://x/ in HPACK.</summary>
    private static readonly byte[] Request = [0x82, 0x87, 0x84, 0x41, 1, (byte)'x'];

    /// <summary>SETTINGS_INITIAL_WINDOW_SIZE: all that there may be.</summary>
    private static readonly byte[] LargestWindow = [0, 4, 0x7f, 0xff, 0xff, 0xff];

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Get, Large, false, 200)]
    [InlineData(Post, Large, false, 200)]
    [InlineData(Upgrade, Switched, false, 101)]
    [InlineData(Get, Large, true, 200)]
    [InlineData(Upgrade, Switched, true, 101)]
    public async Task The_client_takes_no_more_of_its_response(string request, string answer, bool isTls, int status)
    {
        await using var peer = RawBackend.Start((stream, cancellationToken) => FloodAsync(stream, answer, cancellationToken));
        await using var proxy = await StartAsync(peer, isTls);
        using var client = new TestClient(proxy.EndPoint);
        await using var stream = await ConnectAsync(client, isTls);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), Stop);
        await stream.ReadExactlyAsync(new byte[answer.Length], Stop);

        await PassTimeUntilAsync(() => proxy.Log.Lines.Count > 0, "the request ended");

        AssertEnded(proxy, status);
        await ReadToEndAsync(stream);
    }

    [Fact]
    public async Task The_client_opens_no_window_for_its_response()
    {
        await using var peer = RawBackend.Start((stream, cancellationToken) => FloodAsync(stream, Large, cancellationToken));
        await using var proxy = await StartAsync(peer, isTls: true);
        using var client = new TestClient(proxy.EndPoint);
        await using var stream = await ConnectAsync(client, isTls: true, SslApplicationProtocol.Http2);
        var wire = new Http2Wire(stream, Stop);
        await wire.RequestAsync(1, Request);

        var reset = wire.ReadAsync(Http2FrameType.ResetStream);
        await PassTimeUntilAsync(() => reset.IsCompleted, "the stream ended");

        Assert.Equal(1, (await reset).Stream);
        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count > 0, "the request ended", Stop);
        AssertEnded(proxy, 200);
        await wire.WriteAsync(new(Http2FrameType.Ping, 0, 0, new byte[8]));
        await wire.ReadAsync(Http2FrameType.Ping); // the connection serves on
    }

    [Fact]
    public async Task A_connection_of_HTTP_2_whose_client_reads_nothing_is_closed()
    {
        await using var peer = RawBackend.Start((stream, cancellationToken) => FloodAsync(stream, Large, cancellationToken));
        await using var proxy = await StartAsync(peer, isTls: true);
        using var client = new TestClient(proxy.EndPoint);
        await using var stream = await ConnectAsync(client, isTls: true, SslApplicationProtocol.Http2);
        var wire = new Http2Wire(stream, Stop);
        await wire.RequestAsync(1, Request, LargestWindow);
        await wire.WriteAsync(new(Http2FrameType.WindowUpdate, 0, 0, [0x7f, 0, 0, 0]));

        await PassTimeUntilAsync(() => proxy.Log.Lines.Count > 0, "the request ended");

        AssertEnded(proxy, 200);
        await ReadToEndAsync(stream);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_takes_some_of_it_now_and_then_gets_it_all(bool isTls)
    {
        await using var peer = RawBackend.Start((stream, cancellationToken) => FloodAsync(stream, Large, cancellationToken));
        await using var proxy = await StartAsync(peer, isTls);
        using var client = new TestClient(proxy.EndPoint);
        await using var stream = await ConnectAsync(client, isTls);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Get), Stop);
        await stream.ReadExactlyAsync(new byte[Large.Length], Stop);

        var piece = new byte[Length / 128];
        for (var seconds = 0; seconds < 128; seconds++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await stream.ReadExactlyAsync(piece, Stop);
        }

        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count > 0, "the request ended", Stop);
        AssertEnded(proxy, 200);
    }

    /// <summary>With a read timeout that has no part in it.</summary>
    private Task<ProxyUnderTest> StartAsync(RawBackend peer, bool isTls) => ProxyUnderTest.StartAsync(
        [peer.EndPoint], ProxyUnderTest.Settings with { Engine = engine, ReadTimeout = TimeSpan.FromHours(10) }, time: _time,
        certificate: isTls ? ProxyUnderTest.MakeCertificate() : null);

    private async Task PassTimeUntilAsync(Func<bool> condition, string description) => await Eventually.HoldsAsync(
        () =>
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            return condition();
        },
        description, Stop);

    private static void AssertEnded(ProxyUnderTest proxy, int status)
    {
        Assert.StartsWith($"{status} ", Assert.Single(proxy.Log.Lines));
        proxy.AssertNothingHeld();
        Assert.All(proxy.Upstream.Peers, peer => Assert.Equal(0, peer.State.Fails));
    }

    private static async Task<Stream> ConnectAsync(TestClient client, bool isTls, SslApplicationProtocol? protocol = null)
    {
        var plain = await client.ConnectAsync(Stop);
        if (!isTls) return plain;

        var tls = new SslStream(plain, leaveInnerStreamOpen: false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync(new() { TargetHost = "x", ApplicationProtocols = [protocol ?? SslApplicationProtocol.Http11] }, Stop);
        return tls;
    }

    private static async Task ReadToEndAsync(Stream stream)
    {
        try
        {
            await stream.CopyToAsync(Stream.Null, Stop);
        }
        catch (IOException)
        {
            // It was cut, as it should be.
        }
    }

    /// <summary>Answers with a head and more than lies between it and a client that reads nothing.</summary>
    private static async Task FloodAsync(Stream stream, string answer, CancellationToken cancellationToken)
    {
        await RawBackend.ReadHeadAsync(stream, cancellationToken);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), cancellationToken);
        var piece = new byte[Length / 1024];
        for (var i = 0; i < 1024; i++) await stream.WriteAsync(piece, cancellationToken);
        await stream.CopyToAsync(Stream.Null, cancellationToken);
    }
}

public sealed class Http1StalledClientTests() : StalledClientTests(PeerEngine.Auto);

public sealed class YarpStalledClientTests() : StalledClientTests(PeerEngine.Yarp);
