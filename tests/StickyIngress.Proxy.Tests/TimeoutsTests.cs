using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests;

/// <summary>How long a peer is waited for, whichever engine speaks to it: nginx's <c>proxy_connect_timeout</c>, <c>proxy_send_timeout</c> and <c>proxy_read_timeout</c>.</summary>
public abstract class TimeoutsTests(PeerEngine engine)
{
    private const int Pieces = 5;

    private static readonly ProxySettings Unlimited = ProxyUnderTest.Settings with { MaxBodySize = 0, RequestBuffer = 0 };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_next_peer_is_asked_where_one_accepts_no_connection_in_time()
    {
        using var full = new FullListener();
        await using var other = await TestBackend.StartAsync("other");
        await using var proxy = await StartAsync([full.EndPoint, other.EndPoint], ProxyUnderTest.Settings with { ConnectTimeout = TimeSpan.FromMilliseconds(200) });

        Assert.Equal("other", await proxy.Client.GetStringAsync("/", Stop));

        await AssertOneFailureAsync(proxy, "connect_timeout", $"200 [{full.EndPoint}, {other.EndPoint}] [504, 200]");
    }

    [Fact]
    public async Task A_peer_that_takes_no_more_of_a_request_has_failed()
    {
        await using var peer = RawBackend.Silent();
        await using var proxy = await StartAsync([peer.EndPoint, peer.EndPoint], Unlimited with { SendTimeout = TimeSpan.FromMilliseconds(200) });
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);
        using var body = new LongBody(stream, long.MaxValue);

        Assert.StartsWith("HTTP/1.1 504 ", await RawBackend.ReadHeadAsync(stream, Stop));

        await AssertOneFailureAsync(proxy, "timeout", $"504 [{peer.Address}] [504]");
    }

    [Fact]
    public async Task A_peer_that_takes_a_request_slowly_is_waited_for()
    {
        const int Piece = 8 * 1024 * 1024;
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var may = new SemaphoreSlim(0);
        await using var peer = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await RawBackend.ReadHeadAsync(stream, cancellationToken);
            var buffer = new byte[Piece];
            for (var i = 0; i <= Pieces; i++)
            {
                await may.WaitAsync(cancellationToken);
                await stream.ReadExactlyAsync(buffer, cancellationToken);
            }

            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), cancellationToken);
        });
        await using var proxy = await StartAsync([peer.EndPoint], Unlimited with { SendTimeout = TimeSpan.FromSeconds(10) }, time);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);
        using var body = new LongBody(stream, (Pieces + 1) * Piece);

        for (var i = 0; i < Pieces; i++)
        {
            var before = body.Written;
            may.Release();
            await Eventually.HoldsAsync(() => body.Written >= before + (Piece / 2), "the peer takes some of it", Stop);
            time.Advance(TimeSpan.FromSeconds(6));
        }

        may.Release();
        Assert.StartsWith("HTTP/1.1 200 ", await RawBackend.ReadHeadAsync(stream, Stop));
    }

    [Fact]
    public async Task A_peer_that_answers_slowly_is_waited_for()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var may = new SemaphoreSlim(0);
        await using var peer = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await RawBackend.ReadHeadAsync(stream, cancellationToken);
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {Pieces}\r\n\r\n"), cancellationToken);
            for (var i = 0; i < Pieces; i++)
            {
                await may.WaitAsync(cancellationToken);
                await stream.WriteAsync("a"u8.ToArray(), cancellationToken);
            }
        });
        await using var proxy = await StartAsync([peer.EndPoint], ProxyUnderTest.Settings with { ReadTimeout = TimeSpan.FromSeconds(10) }, time);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), Stop);
        await RawBackend.ReadHeadAsync(stream, Stop);

        for (var i = 0; i < Pieces; i++)
        {
            time.Advance(TimeSpan.FromSeconds(6));
            may.Release();
            await stream.ReadExactlyAsync(new byte[1], Stop);
        }

        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 1, "the request ended", Stop);
        Assert.Equal($"200 [{peer.Address}] [200]", proxy.Log.Lines[0]);
    }

    private static async Task AssertOneFailureAsync(ProxyUnderTest proxy, string reason, string line)
    {
        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 1, "the request ended", Stop);
        Assert.Equal(line, proxy.Log.Lines[0]);
        Assert.Equal(1, proxy.Upstream.Peers.First().State.Fails);
        Assert.Equal(1, await proxy.MetricAsync($"stickyingress_peer_failures_total{{namespace=\"test\",upstream=\"u\",peer=\"{proxy.Upstream.Peers.First().Label}\",reason=\"{reason}\"}}"));
        proxy.AssertNothingHeld();
    }

    private Task<ProxyUnderTest> StartAsync(IReadOnlyList<EndPoint> peers, ProxySettings settings, TimeProvider? time = null) =>
        ProxyUnderTest.StartAsync(peers, settings with { Engine = engine }, time: time);

    /// <summary>Takes no further connection: what waits to be accepted is all that the system keeps.</summary>
    private sealed class FullListener : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly List<Socket> _waiting = [];

        public FullListener()
        {
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listener.Listen(0);
            do
            {
                _waiting.Add(new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false });
                try
                {
                    _waiting[^1].Connect(EndPoint);
                }
                catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
                {
                    // Within this machine hands have been shaken by now, or there was no room.
                }
            }
            while (_waiting[^1].Poll(0, SelectMode.SelectWrite));
        }

        public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoint!;

        public void Dispose()
        {
            foreach (var socket in _waiting) socket.Dispose();
            _listener.Dispose();
        }
    }

    /// <summary>Sends a request as fast as somebody takes it.</summary>
    private sealed class LongBody : IDisposable
    {
        private readonly CancellationTokenSource _end = new();
        private long _written;

        public LongBody(Stream stream, long length) => _ = WriteAsync(stream, length);

        public long Written => Volatile.Read(ref _written);

        public void Dispose()
        {
            _end.Cancel();
            _end.Dispose();
        }

        private async Task WriteAsync(Stream stream, long length)
        {
            var piece = new byte[64 * 1024];
            try
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"), _end.Token);
                while (Written < length)
                {
                    await stream.WriteAsync(piece, _end.Token);
                    Interlocked.Add(ref _written, piece.Length);
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // That is the end of it.
            }
        }
    }
}

public sealed class Http1TimeoutsTests() : TimeoutsTests(PeerEngine.Auto);

public sealed class YarpTimeoutsTests() : TimeoutsTests(PeerEngine.Yarp);
