using System.Text;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests.Http1;

/// <summary>Trailers of peers as clients of HTTP/1.1 get them, over the port and byte by byte.</summary>
public sealed class ClientTrailersTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    private const string Chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Announced_trailers_follow_the_body()
    {
        var (head, body) = await ExchangeAsync(Get, Chunked + "Trailer: X-Sum\r\n\r\n5\r\nhello\r\n3\r\nyou\r\n0\r\nX-Sum: 42\r\nX-Later: \u00e9\r\n\r\n");

        Assert.Contains("\r\nTransfer-Encoding: chunked\r\n", head);
        Assert.Contains("\r\nTrailer: X-Sum\r\n", head);
        Assert.Equal("5\r\nhello\r\n3\r\nyou\r\n0\r\nX-Sum: 42\r\nX-Later: \u00e9\r\n\r\n", body);
    }

    [Fact]
    public async Task The_connection_serves_the_next_request_after_trailers()
    {
        await using var backend = RawBackend.Sending(Chunked + "Trailer: X-Sum\r\nConnection: close\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n");
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        var answers = await TestClient.ExchangeAsync(proxy.EndPoint, "GET / HTTP/1.1\r\nHost: x\r\n\r\n" + Get, Stop);

        Assert.Equal(2, answers.Split("0\r\nX-Sum: 42\r\n\r\n").Length - 1);
        Assert.Equal(2, answers.Split("HTTP/1.1 200 OK\r\n").Length - 1);
        proxy.AssertNothingHeld();
    }

    [Theory]
    [InlineData("Content-Length, X-Sum", "X-Sum")]
    [InlineData("Transfer-Encoding, Set-Cookie, Authorization, Host, X-Forwarded-For, X-Sum", "X-Sum")]
    [InlineData("X Sum, X-Sum, , (x)", "X-Sum")]
    public async Task Trailers_that_come_too_late_are_neither_announced_nor_passed(string announced, string passed)
    {
        const string Sent = "0\r\nContent-Length: 9\r\nSet-Cookie: a=b\r\nTransfer-Encoding: gzip\r\nX-Sum: 42\r\nHost: evil\r\nWWW-Authenticate: Basic\r\n\r\n";

        var (head, body) = await ExchangeAsync(Get, $"{Chunked}Trailer: {announced}\r\n\r\n2\r\nok\r\n{Sent}");

        Assert.Contains($"\r\nTrailer: {passed}\r\n", head);
        Assert.Equal("2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n", body);
    }

    [Theory]
    [InlineData("", "X-Sum: 42\r\n")]
    [InlineData("Trailer: Content-Length\r\n", "Content-Length: 42\r\n")]
    public async Task Without_an_announcement_the_body_ends_without_trailers(string announcement, string trailers)
    {
        var (head, body) = await ExchangeAsync(Get, $"{Chunked}{announcement}\r\n2\r\nok\r\n0\r\n{trailers}\r\n");

        Assert.DoesNotContain("Trailer:", head);
        Assert.Equal("2\r\nok\r\n0\r\n\r\n", body);
    }

    [Theory]
    [InlineData("X-Sum : 42")]
    [InlineData("X-Sum: 4\r2")]
    [InlineData("X-Sum")]
    [InlineData(" folded")]
    public async Task A_bad_trailer_cuts_the_response_off(string trailer)
    {
        var (_, body) = await ExchangeAsync(Get, $"{Chunked}Trailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\n{trailer}\r\n\r\n");

        Assert.Equal("2\r\nok\r\n", body);
    }

    [Theory]
    [InlineData("5\r\nhello\r\n")]
    [InlineData("5\r\nhello\r\n0\r\nX-Sum: 4")]
    public async Task A_response_that_breaks_off_has_no_end_of_chunks(string body)
    {
        var (_, received) = await ExchangeAsync(Get, $"{Chunked}Trailer: X-Sum\r\n\r\n{body}");

        Assert.Equal("5\r\nhello\r\n", received);
    }

    [Fact]
    public async Task The_answer_to_HEAD_announces_nothing_and_has_no_body()
    {
        var (head, body) = await ExchangeAsync(Get.Replace("GET", "HEAD"), Chunked + "Trailer: X-Sum\r\n\r\n");

        Assert.DoesNotContain("Trailer:", head);
        Assert.Equal("", body);
    }

    [Fact]
    public async Task A_client_of_HTTP_1_0_gets_neither_chunks_nor_trailers()
    {
        var (head, body) = await ExchangeAsync("GET / HTTP/1.0\r\n\r\n", Chunked + "Trailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n");

        Assert.DoesNotContain("chunked", head);
        Assert.Equal("ok", body);
    }

    [Fact]
    public async Task A_long_body_arrives_whole_before_its_trailers()
    {
        var piece = new string('x', 50_000);
        var sent = string.Concat(Enumerable.Repeat($"c350\r\n{piece}\r\n", 20));

        var (_, body) = await ExchangeAsync(Get, $"{Chunked}Trailer: X-Sum\r\n\r\n{sent}0\r\nX-Sum: 42\r\n\r\n");

        Assert.EndsWith("\r\n0\r\nX-Sum: 42\r\n\r\n", body);
        Assert.Equal(1_000_000, body.Count(c => c == 'x'));
    }

    /// <summary>What a client gets that sends this to a proxy whose peer sends that, and closes.</summary>
    private static async Task<(string Head, string Body)> ExchangeAsync(string request, string response)
    {
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await RawBackend.ReadHeadAsync(stream, cancellationToken);
            await stream.WriteAsync(Encoding.Latin1.GetBytes(response), cancellationToken);
        });
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        var answer = await TestClient.ExchangeAsync(proxy.EndPoint, request, Stop);

        proxy.AssertNothingHeld();
        var end = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 2;
        return (answer[..end], answer[(end + 2)..]);
    }
}
