using System.Collections.Concurrent;
using System.Text;
using StickyIngress.Core.Upstreams;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests;

/// <summary>What becomes of a request that an HTTP/2 peer does not answer: it is sent again only if the peer said that it did not process it.</summary>
public sealed class Http2ResendTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "refuses, answers", "200 [bad] [200]", 2)]
    [InlineData("POST", "refuses late, answers", "200 [bad] [200]", 2)]
    [InlineData("GET", "goes away before, answers", "200 [bad] [200]", 2)]
    [InlineData("POST", "goes away late, answers", "200 [bad] [200]", 2)]
    [InlineData("GET", "refuses, refuses, refuses, refuses", "200 [bad, good] [502, 200]", 4)]
    [InlineData("POST", "refuses late, refuses late, refuses late, refuses late", "200 [bad, good] [502, 200]", 4)]
    [InlineData("GET", "goes away after", "200 [bad, good] [502, 200]", 1)]
    [InlineData("POST", "goes away after", "502 [bad] [502]", 1)]
    [InlineData("GET", "resets", "200 [bad, good] [502, 200]", 1)]
    [InlineData("POST", "resets", "502 [bad] [502]", 1)]
    [InlineData("GET", "closes", "200 [bad, good] [502, 200]", 1)]
    [InlineData("POST", "closes", "502 [bad] [502]", 1)]
    public async Task A_request_is_sent_again_only_if_the_peer_did_not_process_it(string method, string deeds, string expected, int sent)
    {
        await using var bad = new Peer(deeds);
        await using var good = new Peer("answers");
        await using var proxy = await ProxyUnderTest.StartAsync([bad.EndPoint, good.EndPoint], ProxyUnderTest.Settings with { Protocol = PeerProtocol.H2c });

        await SendAsync(proxy, method);

        Assert.Equal(expected.Replace("bad", $"{bad.EndPoint}").Replace("good", $"{good.EndPoint}"), proxy.Log.Lines.Single());
        Assert.Equal(sent, bad.Requests);
        Assert.Equal(expected.Contains("502"), proxy.Upstream.Primaries.Peers[0].State.Fails == 1);
        Assert.All(bad.Bodies.Concat(good.Bodies), body => Assert.Equal(method == "POST" ? "a body" : "", body));
        proxy.AssertNothingHeld();
    }

    [Theory]
    [InlineData("GET", "answers, closes, answers", "200 [bad, bad] [502, 200]")]
    [InlineData("POST", "answers, closes, answers", "502 [bad] [502]")]
    [InlineData("GET", "answers, resets, answers", "502 [bad] [502]")]
    public async Task A_kept_connection_that_breaks_gives_one_more_try(string method, string deeds, string expected)
    {
        await using var bad = new Peer(deeds);
        await using var proxy = await ProxyUnderTest.StartAsync(
            [bad.EndPoint], ProxyUnderTest.Settings with { Protocol = PeerProtocol.H2c, NextUpstream = new(NextUpstreamOn.Error, 1, TimeSpan.Zero) });

        await SendAsync(proxy, "GET");
        await SendAsync(proxy, method, requests: 2);

        Assert.Equal(expected.Replace("bad", $"{bad.EndPoint}"), proxy.Log.Lines[^1]);
        proxy.AssertNothingHeld();
    }

    [Fact]
    public async Task Bytes_are_those_of_header_fields_and_bodies()
    {
        await using var bad = new Peer("resets");
        await using var good = new Peer("answers");
        await using var proxy = await ProxyUnderTest.StartAsync(
            [bad.EndPoint, good.EndPoint],
            ProxyUnderTest.Settings with { Protocol = PeerProtocol.H2c, SetHeaders = [], NextUpstream = new(NextUpstreamOn.Error | NextUpstreamOn.NonIdempotent, 0, TimeSpan.Zero) });
        proxy.Log.Format = TestTemplates.Parse("$upstream_bytes_sent, $upstream_bytes_received");

        await SendAsync(proxy, "POST");
        await SendAsync(proxy, "GET", requests: 2);

        var bytes = proxy.Log.Lines.Select(line => line.Split(", ").Select(int.Parse).ToArray()).ToArray();
        Assert.Equal((bytes[0][0], 0), (bytes[0][1], bytes[0][2]));
        // Only the POST has a body of 6 bytes, with its length and type ("text/plain; charset=utf-8"); it has one letter more.
        Assert.Equal("Content-Length6Content-Typetext/plain; charset=utf-8".Length + "a body".Length + 1, bytes[0][1] - bytes[1][0]);
        Assert.Equal("200".Length, bytes[0][3]);
    }

    [Fact]
    public async Task A_body_that_is_not_kept_is_not_sent_again()
    {
        await using var bad = new Peer("refuses late, answers");
        await using var good = new Peer("answers");
        await using var proxy = await ProxyUnderTest.StartAsync(
            [bad.EndPoint, good.EndPoint], ProxyUnderTest.Settings with { Protocol = PeerProtocol.H2c, RequestBuffer = 1 });

        await SendAsync(proxy, "POST");

        Assert.Equal($"502 [{bad.EndPoint}] [502]", proxy.Log.Lines.Single());
        Assert.Equal((1, 0), (bad.Requests, good.Requests));
    }

    [Theory]
    [InlineData("POST", "HTTP/1.1 502 ")]
    [InlineData("PUT", "HTTP/1.1 200 ")]
    public async Task A_peer_that_resets_while_the_body_comes_in_is_what_failed_and_not_the_client(string method, string expected)
    {
        await using var bad = new Peer("resets", readsBodies: false);
        await using var good = new Peer("answers");
        await using var proxy = await ProxyUnderTest.StartAsync([bad.EndPoint, good.EndPoint], ProxyUnderTest.Settings with { Protocol = PeerProtocol.H2c });
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);

        await stream.WriteAsync(Encoding.ASCII.GetBytes($"{method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\na b"), Stop);
        await Eventually.HoldsAsync(() => proxy.Upstream.Primaries.Peers[0].State.Fails == 1, "the peer failed", Stop);
        await stream.WriteAsync("ody"u8.ToArray(), Stop);

        Assert.StartsWith(expected, await RawBackend.ReadHeadAsync(stream, Stop));
        Assert.All(good.Bodies, body => Assert.Equal("a body", body));
        Assert.Equal(1, bad.Requests);
    }

    private static async Task SendAsync(ProxyUnderTest proxy, string method, int requests = 1)
    {
        using var request = new HttpRequestMessage(new(method), "/");
        if (method == "POST") request.Content = new StringContent("a body");
        using var response = await proxy.Client.SendAsync(request, Stop);
        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == requests, "the request ended", Stop);
    }

    /// <summary>Does one thing after the other, a request each.</summary>
    private sealed class Peer : IAsyncDisposable
    {
        private readonly ConcurrentQueue<string> _deeds;
        private readonly RawBackend _backend;
        private readonly bool _readsBodies;
        private int _requests;

        public Peer(string deeds, bool readsBodies = true)
        {
            (_deeds, _readsBodies) = (new(deeds.Split(", ")), readsBodies);
            _backend = RawBackend.Start(ServeAsync);
        }

        public System.Net.IPEndPoint EndPoint => _backend.EndPoint;

        public int Requests => Volatile.Read(ref _requests);

        /// <summary>Of the requests that were read to their end.</summary>
        public ConcurrentQueue<string> Bodies { get; } = new();

        public ValueTask DisposeAsync() => _backend.DisposeAsync();

        private async Task ServeAsync(Stream stream, CancellationToken cancellationToken)
        {
            var wire = new Http2Wire(stream, cancellationToken);
            await wire.AcceptAsync();
            var serves = true;
            while (serves)
            {
                var headers = await wire.ReadAsync(Http2FrameType.Headers);
                Interlocked.Increment(ref _requests);
                serves = await ServeAsync(wire, headers, _deeds.TryDequeue(out var deed) ? deed : "nothing more was planned");
            }
        }

        /// <summary>False: the connection closes.</summary>
        private async Task<bool> ServeAsync(Http2Wire wire, Http2Frame headers, string deed)
        {
            if (_readsBodies && deed is not ("refuses" or "goes away before")) Bodies.Enqueue(await ReadBodyAsync(wire, headers));
            await (deed switch
            {
                "answers" => wire.AnswerAsync(headers.Stream),
                "refuses" or "refuses late" => wire.ResetAsync(headers.Stream, Http2Error.RefusedStream),
                "resets" => wire.ResetAsync(headers.Stream, Http2Error.Internal),
                "goes away before" or "goes away late" => wire.GoAwayAsync(last: 0),
                "goes away after" => wire.GoAwayAsync(headers.Stream),
                "closes" => Task.CompletedTask,
                _ => throw new InvalidOperationException(deed),
            });
            return deed is not ("closes" or "goes away after");
        }

        private static async Task<string> ReadBodyAsync(Http2Wire wire, Http2Frame frame)
        {
            var body = new StringBuilder();
            while (!frame.EndsStream)
            {
                frame = await wire.ReadAsync(Http2FrameType.Data);
                body.Append(Encoding.UTF8.GetString(frame.Payload));
            }

            return body.ToString();
        }
    }
}
