using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyIngress.Core;
using StickyIngress.Proxy.Clients;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests;

/// <summary>Requests that are refused before any peer hears of them; each leaves one line in the log and is counted.</summary>
public sealed class RefusedRequestsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET /\u00e9 HTTP/1.1\r\nHost: x", "400 ")] // raw bytes above ASCII; nothing of the line is known then
    [InlineData("GET /a b HTTP/1.1\r\nHost: x", "400 ")]
    [InlineData("GET / HTTP/1.1", "400 GET /")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nHost: b", "400 GET /")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nX : y", "400 GET /")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nX: \0", "400 GET /")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2", "400 POST /")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1", "400 POST /")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -0", "400 POST /")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999", "400 POST /")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999999999999999999999", "400 POST /")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length:", "400 POST /")]
    public async Task What_the_server_cannot_read_is_logged_and_counted(string head, string expected)
    {
        await using var backend = await TestBackend.StartAsync("a");
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);
        proxy.Log.Format = TestTemplates.Parse("$status $request_method $request_uri");

        var answer = await TestClient.ExchangeAsync(proxy.EndPoint, head + "\r\nConnection: close\r\n\r\n", Stop);

        Assert.StartsWith("HTTP/1.1 400", answer);
        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count > 0, "a line is written", Stop);
        Assert.StartsWith(expected, Assert.Single(proxy.Log.Lines));
        Assert.Equal(1, await proxy.MetricAsync("stickyingress_http_requests_total{namespace=\"\",upstream=\"\""));
        Assert.Equal(0, await proxy.MetricAsync("stickyingress_http_requests_in_flight"));
        Assert.Empty(backend.Requests);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 0)]
    public void A_request_that_was_served_is_not_counted_again_when_its_body_has_no_end(bool wasServed, int lines)
    {
        var clock = new Clock(TimeProvider.System);
        var log = new LogOfRequests();
        var refused = new RefusedRequests(TrustedProxies.None, clock, new(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry())), log);
        var context = new DefaultHttpContext();
        context.Features.Set<IBadRequestExceptionFeature>(new Unreadable());
        if (wasServed) context.Features.Set(new ProxyRequest(context, clock, TrustedProxies.None.Identify(context)));

        refused.Write("Microsoft.AspNetCore.Server.Kestrel.BadRequest", context.Features);

        Assert.Equal(lines, log.Lines.Count);
    }

    [Fact]
    public async Task One_that_comes_after_a_request_with_a_body_is_counted_too()
    {
        await using var backend = await TestBackend.StartAsync("a");
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        await TestClient.ExchangeAsync(proxy.EndPoint, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nabGET /a b HTTP/1.1\r\nHost: x\r\n\r\n", Stop);

        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 2, "both are in the log", Stop);
        Assert.Equal(["200", "400"], proxy.Log.Lines.Select(line => line.Split(' ')[0]));
    }

    [Theory]
    [InlineData("HTTP/1.1", "Content-Length: 5\r\nTransfer-Encoding: chunked", 400)]
    [InlineData("HTTP/1.0", "Transfer-Encoding: chunked", 400)]
    [InlineData("HTTP/1.1", "Transfer-Encoding: gzip, chunked", 501)]
    [InlineData("HTTP/1.1", "Transfer-Encoding: chunked, chunked", 501)]
    [InlineData("HTTP/1.1", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 501)]
    [InlineData("HTTP/1.1", "Transfer-Encoding: Chunked", 200)]
    public async Task A_body_whose_end_could_be_read_in_two_ways_is_refused(string version, string framing, int status)
    {
        await using var backend = await TestBackend.StartAsync("a");
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        var answer = await TestClient.ExchangeAsync(
            proxy.EndPoint, $"POST / {version}\r\nHost: x\r\nConnection: close\r\n{framing}\r\n\r\n0\r\n\r\n", Stop);

        Assert.StartsWith($"HTTP/1.1 {status}", answer);
        Assert.Equal(status == 200 ? 1 : 0, backend.Requests.Count);
        Assert.Single(proxy.Log.Lines);
    }

    [Theory]
    [InlineData("GET abc", 405)]
    [InlineData("GET *", 405)]
    [InlineData("GET HTTP://x/", 400)]
    [InlineData("GET ftp://x/", 400)]
    public async Task A_target_of_another_form_is_refused(string line, int status)
    {
        await using var backend = await TestBackend.StartAsync("a");
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        var answer = await TestClient.ExchangeAsync(proxy.EndPoint, line + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", Stop);

        Assert.StartsWith($"HTTP/1.1 {status}", answer);
        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 1, "a line is written", Stop);
        Assert.Empty(backend.Requests);
    }

    [Theory]
    [InlineData("X", 33 * 1024, 431)]
    [InlineData("Cookie", 33 * 1024, 431)]
    public async Task What_is_too_long_is_refused(string header, int length, int status)
    {
        await using var backend = await TestBackend.StartAsync("a");
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        var answer = await TestClient.ExchangeAsync(
            proxy.EndPoint, $"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}: {new string('x', length)}\r\n\r\n", Stop);

        Assert.StartsWith($"HTTP/1.1 {status}", answer);
        Assert.Single(proxy.Log.Lines);
    }

    [Theory]
    [InlineData(8000, 200)]
    [InlineData(9000, 414)]
    public async Task A_target_that_is_too_long_is_refused(int length, int status)
    {
        await using var backend = await TestBackend.StartAsync("a");
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        var answer = await TestClient.ExchangeAsync(
            proxy.EndPoint, $"GET /{new string('x', length)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", Stop);

        Assert.StartsWith($"HTTP/1.1 {status}", answer);
    }

    [Fact]
    public async Task A_body_that_turns_out_bad_after_the_answer_is_not_logged_twice()
    {
        await using var backend = await TestBackend.StartAsync("a");
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        var answer = await TestClient.ExchangeAsync(
            proxy.EndPoint, "POST / HTTP/1.1\r\nHost: x y\r\nTransfer-Encoding: chunked\r\n\r\nthis is no chunk\r\n", Stop);

        Assert.StartsWith("HTTP/1.1 400", answer);
        Assert.Single(proxy.Log.Lines);
    }

    [Fact]
    public async Task A_client_that_waits_to_send_its_body_and_is_refused_is_told_that_the_connection_ends()
    {
        await using var proxy = await ProxyUnderTest.StartAsync([]);

        var answer = await TestClient.ExchangeAsync(
            proxy.EndPoint, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", Stop);

        Assert.StartsWith("HTTP/1.1 503", answer);
        Assert.Contains("\r\nConnection: close\r\n", answer);
    }

    [Fact]
    public async Task Our_own_answers_say_their_length()
    {
        await using var backend = await TestBackend.StartAsync("a");
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        var answer = await TestClient.ExchangeAsync(proxy.EndPoint, "TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", Stop);

        Assert.Contains("Content-Length: 23\r\n", answer);
        Assert.EndsWith("\r\n\r\n405 Method Not Allowed\n", answer);
    }

    private sealed class Unreadable : IBadRequestExceptionFeature
    {
        public Exception Error { get; } = new BadHttpRequestException("Unexpected end of request content.");
    }
}
