using System.Net;
using System.Text;
using StickyIngress.Core.Upstreams;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests.Http1;

/// <summary>nginx's keepalive: which connections serve again, which are closed, and what a stale one costs.</summary>
public sealed class KeepaliveTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 1)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 1)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", 1)]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 1)]
    [InlineData("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 1)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1)]
    [InlineData("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", 1)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 3)]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 3)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more than it said", 3)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\nbody", 3)]
    public async Task A_connection_serves_again_where_the_response_allows_it(string response, int connections)
    {
        await using var backend = Serving(response);
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        for (var i = 0; i < 3; i++) (await proxy.Client.GetAsync("/", Stop)).Dispose();

        Assert.Equal(connections, backend.Connections);
        proxy.AssertNothingHeld();
    }

    [Theory]
    [InlineData(32, 2, 3)]
    [InlineData(32, 0, 6)]
    [InlineData(32, 1, 6)]
    [InlineData(0, 1000, 6)]
    [InlineData(1, 1000, 1)]
    public async Task Requests_and_slots_are_limited(int slots, int requests, int connections)
    {
        await using var backend = Serving(Ok);
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint], With(new(slots, requests, TimeSpan.FromHours(1), TimeSpan.FromMinutes(1))));

        for (var i = 0; i < 6; i++) await proxy.Client.GetStringAsync("/", Stop);

        Assert.Equal(connections, backend.Connections);
    }

    [Fact]
    public async Task All_peers_share_the_slots_and_the_one_used_longest_ago_makes_room()
    {
        await using var a = Serving(Ok);
        await using var b = Serving(Ok);
        await using var proxy = await ProxyUnderTest.StartAsync([a.EndPoint, b.EndPoint], With(new(1, 1000, TimeSpan.FromHours(1), TimeSpan.FromMinutes(1))));

        for (var i = 0; i < 4; i++) await proxy.Client.GetStringAsync("/", Stop);

        Assert.Equal((2, 2), (a.Connections, b.Connections));
        Assert.Equal(1, proxy.Upstream.Peers.Sum(peer => peer.State.IdleConnections));
    }

    [Fact]
    public async Task An_idle_connection_is_closed_after_its_time()
    {
        await using var backend = Serving(Ok);
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint], With(new(32, 1000, TimeSpan.FromHours(1), TimeSpan.FromMilliseconds(100))));

        await proxy.Client.GetStringAsync("/", Stop);

        await Eventually.HoldsAsync(() => proxy.Upstream.Primaries.Peers[0].State.IdleConnections == 0, "it was closed", Stop);
        await proxy.Client.GetStringAsync("/", Stop);
        Assert.Equal(2, backend.Connections);
    }

    [Fact]
    public async Task An_idle_connection_that_its_peer_closes_is_dropped()
    {
        var close = new TaskCompletionSource();
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await RawBackend.ReadHeadAsync(stream, cancellationToken);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Ok), cancellationToken);
            await close.Task;
        });
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);
        var peer = proxy.Upstream.Primaries.Peers[0].State;

        await proxy.Client.GetStringAsync("/", Stop);
        Assert.Equal(1, peer.IdleConnections);
        close.SetResult();

        await Eventually.HoldsAsync(() => peer.IdleConnections == 0, "it was dropped", Stop);
        Assert.Equal("ok", await proxy.Client.GetStringAsync("/", Stop));
    }

    [Theory]
    [InlineData("GET", 1, PeerEngine.Auto, "200 [a, a] [502, 200]", "not suspended")]
    [InlineData("POST", 1, PeerEngine.Auto, "502 [a] [502]", "not suspended")]
    [InlineData("GET", 2, PeerEngine.Auto, "200 [a, b] [502, 200]", "suspended")]
    [InlineData("GET", 1, PeerEngine.Yarp, "200 [a, a] [502, 200]", "not suspended")]
    [InlineData("POST", 1, PeerEngine.Yarp, "502 [a] [502]", "not suspended")]
    [InlineData("GET", 2, PeerEngine.Yarp, "200 [a, b] [502, 200]", "suspended")]
    public async Task A_stale_connection_counts_as_a_failure_and_gives_one_more_try(string method, int peers, PeerEngine engine, string expected, string state)
    {
        await using var stale = ClosingOnSecondRequest();
        await using var other = Serving(Ok);
        await using var proxy = await ProxyUnderTest.StartAsync(
            peers == 1 ? [stale.EndPoint] : [stale.EndPoint, other.EndPoint],
            ProxyUnderTest.Settings with { NextUpstream = new(NextUpstreamOn.Error, 1, TimeSpan.Zero), Engine = engine });

        for (var i = 0; i < peers; i++) await proxy.Client.GetStringAsync("/", Stop);
        using var request = new HttpRequestMessage(new(method), "/");
        (await proxy.Client.SendAsync(request, Stop)).Dispose();
        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == peers + 1, "the requests ended", Stop);

        Assert.Equal(expected, proxy.Log.Lines[^1].Replace(stale.Address, "a").Replace(other.Address, "b"));
        Assert.Equal(state, proxy.Upstream.Primaries.Peers[0].State.Fails > 0 ? "suspended" : "not suspended");
        proxy.AssertNothingHeld();
    }

    [Fact]
    public async Task A_fresh_connection_that_breaks_gives_no_further_try()
    {
        await using var backend = RawBackend.Start(RawBackend.ReadHeadAsync);
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        using var answer = await proxy.Client.GetAsync("/", Stop);

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Equal(1, backend.Connections);
    }

    [Theory]
    [InlineData(PeerEngine.Auto)]
    [InlineData(PeerEngine.Yarp)]
    public async Task Variables_tell_times_and_bytes_exactly(PeerEngine engine)
    {
        await using var backend = Serving(Ok);
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint], ProxyUnderTest.Settings with { Engine = engine });
        proxy.Log.Format = TestTemplates.Parse("$upstream_connect_time $upstream_bytes_received $upstream_response_length");

        await proxy.Client.GetStringAsync("/", Stop);
        await proxy.Client.GetStringAsync("/", Stop);
        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 2, "the requests ended", Stop);

        Assert.Equal($"0.000 {Ok.Length} 2", proxy.Log.Lines[1]);
    }

    [Theory]
    [InlineData(PeerEngine.Auto)]
    [InlineData(PeerEngine.Yarp)]
    public async Task Bytes_sent_are_those_that_the_peer_read(PeerEngine engine)
    {
        var read = 0L;
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            var head = await RawBackend.ReadHeadAsync(stream, cancellationToken);
            read = head.Length + 5;
            await stream.ReadExactlyAsync(new byte[5], cancellationToken);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Ok), cancellationToken);
        });
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint], ProxyUnderTest.Settings with { Engine = engine });
        proxy.Log.Format = TestTemplates.Parse("$upstream_bytes_sent");

        (await proxy.Client.PostAsync("/", new StringContent("hello"), Stop)).Dispose();
        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 1, "the request ended", Stop);

        Assert.Equal(read.ToString(), proxy.Log.Lines[0]);
    }

    private static ProxySettings With(KeepaliveSettings keepalive) => ProxyUnderTest.Settings with { Keepalive = keepalive };

    /// <summary>The same answer to every request without a body, on as few connections as its client wants.</summary>
    private static RawBackend Serving(string response) => RawBackend.Start(async (stream, cancellationToken) =>
    {
        while ((await RawBackend.ReadHeadAsync(stream, cancellationToken)).Length > 0)
            await stream.WriteAsync(Encoding.Latin1.GetBytes(response), cancellationToken);
    });

    /// <summary>Its first connection breaks when it is used again; the ones after it do not.</summary>
    private static RawBackend ClosingOnSecondRequest()
    {
        var connections = 0;
        return RawBackend.Start(async (stream, cancellationToken) =>
        {
            var breaks = Interlocked.Increment(ref connections) == 1;
            for (var i = 0; (await RawBackend.ReadHeadAsync(stream, cancellationToken)).Length > 0; i++)
            {
                if (breaks && i == 1) return;
                await stream.WriteAsync(Encoding.ASCII.GetBytes(Ok), cancellationToken);
            }
        });
    }
}
