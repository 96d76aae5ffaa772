using System.Net.Security;
using System.Text;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests.Http1;

/// <summary>Interim responses of peers (1xx) as clients get them, over the port and byte by byte.</summary>
public sealed class InterimResponsesTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    private const string Hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
    private const string Final = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Early_hints_arrive_before_the_peer_has_answered()
    {
        var hinted = new TaskCompletionSource();
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await RawBackend.ReadHeadAsync(stream, cancellationToken);
            await stream.WriteAsync(Encoding.Latin1.GetBytes(Hints), cancellationToken);
            await hinted.Task;
            await stream.WriteAsync(Encoding.Latin1.GetBytes(Final), cancellationToken);
        });
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);

        await stream.WriteAsync(Encoding.Latin1.GetBytes(Get), Stop);
        var interim = await RawBackend.ReadHeadAsync(stream, Stop);
        hinted.SetResult();
        var answer = await new StreamReader(stream).ReadToEndAsync(Stop);

        Assert.Equal(Hints, interim);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer);
        Assert.EndsWith("\r\n\r\nok", answer);
    }

    [Fact]
    public async Task Several_arrive_in_order_and_the_connection_serves_on()
    {
        const string Processing = "HTTP/1.1 102 Processing\r\n\r\n";
        await using var backend = RawBackend.Sending(Hints + Processing + Hints + Final);
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        var answers = await TestClient.ExchangeAsync(proxy.EndPoint, "GET / HTTP/1.1\r\nHost: x\r\n\r\n" + Get, Stop);

        Assert.StartsWith(Hints + Processing + Hints + "HTTP/1.1 200 OK\r\n", answers);
        Assert.Equal(3, answers.Split(Hints + Processing + Hints).Length);
    }

    [Fact]
    public async Task What_is_for_one_hop_stays_here()
    {
        const string Sent = "HTTP/1.1 103 Soon\r\nLink: </a>\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nX-Text: \u00e9\r\n\r\n";

        var answer = await ExchangeAsync(Get, Sent + Final);

        Assert.StartsWith("HTTP/1.1 103 Soon\r\nLink: </a>\r\nX-Text: \u00e9\r\n\r\nHTTP/1.1 200 OK\r\n", answer);
    }

    [Theory]
    [InlineData("HTTP/1.1 103 Early Hints\r\nLink: a\rX-Evil: b\r\n\r\n")]
    [InlineData("HTTP/1.1 103 Early Hints\r\nLink : a\r\n\r\n")]
    [InlineData("HTTP/1.1 103 Early\0Hints\r\n\r\n")]
    public async Task A_malformed_one_is_not_passed_on(string interim)
    {
        var answer = await ExchangeAsync(Get, interim + Final);

        Assert.StartsWith("HTTP/1.1 502 ", answer);
        Assert.DoesNotContain("103", answer);
    }

    [Theory]
    [InlineData("GET / HTTP/1.0\r\n\r\n", Hints)]
    [InlineData(Get, "HTTP/1.1 100 Continue\r\n\r\n")]
    public async Task Old_clients_get_none_and_nobody_gets_a_100_that_was_not_asked_for(string request, string interim)
    {
        var answer = await ExchangeAsync(request, interim + Final);

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer);
    }

    [Fact]
    public async Task A_client_that_awaits_100_gets_that_one_alone()
    {
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await RawBackend.ReadHeadAsync(stream, cancellationToken);
            await stream.WriteAsync(Encoding.Latin1.GetBytes(Hints), cancellationToken);
            await stream.ReadExactlyAsync(new byte[4], cancellationToken);
            await stream.WriteAsync(Encoding.Latin1.GetBytes(Final), cancellationToken);
        });
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);

        await stream.WriteAsync("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"u8.ToArray(), Stop);
        var interim = await RawBackend.ReadHeadAsync(stream, Stop);
        await stream.WriteAsync("body"u8.ToArray(), Stop);
        var answer = await new StreamReader(stream).ReadToEndAsync(Stop);

        Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", interim);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense\r\n\r\n")]
    public async Task Another_peer_answers_where_the_first_fails_after_it(string rest)
    {
        await using var failing = RawBackend.Sending(Hints + rest);
        await using var good = RawBackend.Sending(Final);
        await using var proxy = await ProxyUnderTest.StartAsync([failing.EndPoint, good.EndPoint], ProxyUnderTest.Settings with
        {
            NextUpstream = new(Core.Upstreams.NextUpstreamOn.Error | Core.Upstreams.NextUpstreamOn.InvalidHeader, 0, TimeSpan.Zero),
        });

        var answer = await TestClient.ExchangeAsync(proxy.EndPoint, Get, Stop);

        Assert.StartsWith(Hints + "HTTP/1.1 200 OK\r\n", answer);
        Assert.EndsWith("\r\n\r\nok", answer);
        proxy.AssertNothingHeld();
    }

    [Fact]
    public async Task A_client_that_leaves_after_it_lets_the_peer_go()
    {
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await RawBackend.ReadHeadAsync(stream, cancellationToken);
            while (true)
            {
                await stream.WriteAsync(Encoding.Latin1.GetBytes(Hints), cancellationToken);
                await Task.Yield();
            }
        });
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);
        using (var client = new TestClient(proxy.EndPoint))
        {
            var stream = await client.ConnectAsync(Stop);
            await stream.WriteAsync(Encoding.Latin1.GetBytes(Get), Stop);
            Assert.Equal(Hints, await RawBackend.ReadHeadAsync(stream, Stop));
        }

        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 1, "the request ended", Stop);
        proxy.AssertNothingHeld();
        Assert.StartsWith("499 ", proxy.Log.Lines[0]);
    }

    [Fact]
    public async Task Over_TLS_it_is_encrypted_like_the_rest()
    {
        await using var backend = RawBackend.Sending(Hints + Final);
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint], certificate: ProxyUnderTest.MakeCertificate());
        using var client = new TestClient(proxy.EndPoint);
        await using var tls = new SslStream(await client.ConnectAsync(Stop), false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("x");

        await tls.WriteAsync(Encoding.Latin1.GetBytes(Get), Stop);
        var answer = await new StreamReader(tls).ReadToEndAsync(Stop);

        Assert.StartsWith(Hints + "HTTP/1.1 200 OK\r\n", answer);
    }

    private static async Task<string> ExchangeAsync(string request, string response)
    {
        await using var backend = RawBackend.Sending(response);
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        return await TestClient.ExchangeAsync(proxy.EndPoint, request, Stop);
    }
}
