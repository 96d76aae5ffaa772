using System.Net;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Core.Routing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests;

/// <summary>
/// Ways for a request to end before its time: each gives the peer back, closes the connection to it, and is one line in the log. Those that
/// begin with the peer's failure are in <see cref="NextUpstreamConformanceTests"/>.
/// </summary>
/// <param name="early">What a client is told that still owes its body when the peer has begun to answer, 200, and both say no more.</param>
public abstract class EndingsTests(PeerEngine engine, int early)
{
    private const string Get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    private const string Upgrade = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
    private const string Post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n";
    private const string Begun = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthe first of it";
    private const string Switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

    protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Get, Begun, "the first of it", 200)]
    [InlineData(Upgrade, Switched, "Upgrade: echo\r\n", 101)]
    [InlineData(Post + "\r\na part", "", "", 499)]
    [InlineData(Post + "Expect: 100-continue\r\n\r\n", "", "HTTP/1.1 100 Continue\r\n\r\n", 499)]
    public async Task The_client_leaves(string request, string answer, string until, int status)
    {
        await using var peer = new Peer(answer);
        await using var proxy = await StartAsync(peer.Backend.EndPoint);
        using (var client = new TestClient(proxy.EndPoint))
        {
            var stream = await client.ConnectAsync(Stop);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(request), Stop);
            await peer.Asked.WaitAsync(Stop);
            await ReadAsync(stream, until);
        }

        await peer.LetGo.WaitAsync(Stop);
        await AssertEndedAsync(proxy, status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_client_resets_its_stream(bool midway)
    {
        await using var peer = new Peer(midway ? Begun : "");
        await using var proxy = await StartAsync(peer.Backend.EndPoint, certificate: ProxyUnderTest.MakeCertificate());
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } });
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{proxy.EndPoint}/") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

        var response = client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, leaving.Token);
        await peer.Asked.WaitAsync(Stop);
        if (midway) (await response).Dispose();
        await leaving.CancelAsync();

        await peer.LetGo.WaitAsync(Stop);
        await AssertEndedAsync(proxy, midway ? 200 : 499);
    }

    [Theory]
    [InlineData(Get, Begun, 200)]
    [InlineData(Upgrade, Switched, 101)]
    public async Task The_peer_falls_silent(string request, string answer, int status)
    {
        await using var peer = new Peer(answer);
        await using var proxy = await StartAsync(peer.Backend.EndPoint, ProxyUnderTest.Settings with { ReadTimeout = TimeSpan.FromMilliseconds(200) });

        await TestClient.ExchangeAsync(proxy.EndPoint, request, Stop);

        await peer.LetGo.WaitAsync(Stop);
        await AssertEndedAsync(proxy, status);
    }

    [Fact]
    public async Task Client_and_peer_fall_silent_in_the_middle()
    {
        await using var peer = new Peer(Begun);
        await using var proxy = await StartAsync(peer.Backend.EndPoint, ProxyUnderTest.Settings with { ReadTimeout = TimeSpan.FromMilliseconds(200) });

        var answer = await TestClient.ExchangeAsync(proxy.EndPoint, Post + "\r\na part", Stop);

        await peer.LetGo.WaitAsync(Stop);
        Assert.StartsWith($"HTTP/1.1 {early} ", answer);
        await AssertEndedAsync(proxy, early);
    }

    [Fact]
    public async Task The_client_sends_what_is_no_body()
    {
        await using var peer = new Peer("");
        await using var proxy = await StartAsync(peer.Backend.EndPoint);

        var answer = await TestClient.ExchangeAsync(
            proxy.EndPoint, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\nthis is no chunk\r\n", Stop);

        Assert.StartsWith("HTTP/1.1 400 ", answer);
        await AssertEndedAsync(proxy, 400);
    }

    [Fact]
    public async Task The_client_sends_no_more_of_its_body()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var peer = new Peer("");
        await using var proxy = await StartAsync(peer.Backend.EndPoint, time: time);

        var asked = TestClient.ExchangeAsync(proxy.EndPoint, Post + "\r\na part", Stop);
        await peer.Asked.WaitAsync(Stop);
        await Eventually.HoldsAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(10));
                return asked.IsCompleted;
            },
            "the client is answered", Stop);

        Assert.StartsWith("HTTP/1.1 408 ", await asked);
        await AssertEndedAsync(proxy, 408);
    }

    protected static async Task AssertEndedAsync(ProxyUnderTest proxy, int status)
    {
        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count > 0, "the request ended", Stop);
        Assert.StartsWith($"{status} ", Assert.Single(proxy.Log.Lines));
        proxy.AssertNothingHeld();
        Assert.All(proxy.Upstream.Peers, peer => Assert.Equal((0, 0), (peer.State.Fails, peer.State.IdleConnections)));
        Assert.Equal(0, await proxy.MetricAsync("stickyingress_http_requests_in_flight"));
    }

    protected static async Task ReadAsync(Stream stream, string until)
    {
        var read = new StringBuilder();
        var one = new byte[1];
        while (!read.ToString().EndsWith(until, StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one, Stop);
            read.Append((char)one[0]);
        }
    }

    protected Task<ProxyUnderTest> StartAsync(EndPoint peer, ProxySettings? settings = null, ServerCertificate? certificate = null, TimeProvider? time = null) =>
        ProxyUnderTest.StartAsync([peer], (settings ?? ProxyUnderTest.Settings) with { Engine = engine }, certificate: certificate, time: time);

    /// <summary>Answers a head with these bytes, and then only looks whether its connection ends.</summary>
    private sealed class Peer : IAsyncDisposable
    {
        private readonly TaskCompletionSource _asked = new(), _letGo = new();

        public Peer(string answer) => Backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await RawBackend.ReadHeadAsync(stream, cancellationToken);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), cancellationToken);
            _asked.SetResult();
            try
            {
                await stream.CopyToAsync(Stream.Null, cancellationToken);
            }
            finally
            {
                _letGo.SetResult();
            }
        });

        public RawBackend Backend { get; }

        public Task Asked => _asked.Task;

        public Task LetGo => _letGo.Task;

        public ValueTask DisposeAsync() => Backend.DisposeAsync();
    }
}

public sealed class Http1EndingsTests() : EndingsTests(PeerEngine.Auto, early: 200)
{
    [Fact]
    public async Task A_peer_that_has_begun_to_answer_may_wait_for_a_body_for_as_long_as_some_of_it_comes()
    {
        const int Pieces = 5;
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var arrived = new SemaphoreSlim(0);
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await RawBackend.ReadHeadAsync(stream, cancellationToken);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf"u8.ToArray(), cancellationToken);
            for (var i = 0; i < Pieces; i++)
            {
                await stream.ReadExactlyAsync(new byte[1], cancellationToken);
                arrived.Release();
            }

            await stream.WriteAsync("done"u8.ToArray(), cancellationToken);
        });
        await using var proxy = await StartAsync(backend.EndPoint, ProxyUnderTest.Settings with { ReadTimeout = TimeSpan.FromSeconds(60) }, time: time);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {Pieces}\r\n\r\n"), Stop);
        await ReadAsync(stream, "half");

        for (var i = 0; i < Pieces; i++)
        {
            time.Advance(TimeSpan.FromSeconds(40));
            await stream.WriteAsync("a"u8.ToArray(), Stop);
            await arrived.WaitAsync(Stop);
        }

        await ReadAsync(stream, "done");
    }
}

public sealed class YarpEndingsTests() : EndingsTests(PeerEngine.Yarp, early: 408)
{
    [Fact]
    public async Task A_peer_that_waits_for_the_client_is_not_blamed_for_the_time_it_takes()
    {
        await using var backend = RawBackend.Silent();
        await using var proxy = await ProxyUnderTest.StartAsync(
            [backend.EndPoint, backend.EndPoint], ProxyUnderTest.Settings with { Engine = PeerEngine.Yarp, ReadTimeout = TimeSpan.FromMilliseconds(200) });

        var answer = await TestClient.ExchangeAsync(
            proxy.EndPoint, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\na part", TestContext.Current.CancellationToken);

        Assert.StartsWith("HTTP/1.1 408 ", answer);
        await AssertEndedAsync(proxy, 408);
    }
}
