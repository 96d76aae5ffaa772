using System.Text;
using StickyIngress.Proxy.Clients.Http1;
using StickyIngress.Proxy.Forwarding.Http1;

namespace StickyIngress.Proxy.Tests.Clients;

public sealed class PlainRequestTests
{
    [Fact]
    public void A_plain_request_is_read_where_it_lies()
    {
        var request = new PlainRequest();

        Assert.Equal(ParseStep.Complete, Read(request, "GET /a/b?c=%20d HTTP/1.1\r\nHost: x:80\r\nX-One:\t1 \r\ncookie: a=1\r\nx-none:\r\nCookie: b=2\r\n\r\nGET /next"));

        Assert.Equal(("GET", "/a/b?c=%20d", "/a/b", "?c=%20d"), (request.Method, request.Target, request.Path, request.Query));
        Assert.Equal(["Host", "X-One", "cookie", "x-none", "Cookie"], Names(request));
        Assert.Equal(["x:80", "1", "a=1", "", "b=2"], Enumerable.Range(0, request.Count).Select(request.ValueText));
        Assert.Equal((1, 2, 4, -1), (request.Find("x-one"), request.Find("Cookie"), request.Find("Cookie", 3), request.Find("X-Two")));
        Assert.False(request.SaysClose || request.SaysEmpty);
    }

    [Fact]
    public void The_next_one_has_nothing_of_it()
    {
        var request = new PlainRequest();
        Read(request, "DELETE /long/path?query HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\nX-Secret: 1\r\n\r\n");
        Assert.True(request is { SaysClose: true, SaysEmpty: true });

        Assert.Equal(ParseStep.Complete, Read(request, "GET / HTTP/1.1\r\nX-Public: 2\r\nHost: y\r\n\r\n"));

        Assert.Equal(("GET", "/", "/", ""), (request.Method, request.Target, request.Path, request.Query));
        Assert.Equal(["X-Public", "Host"], Names(request));
        Assert.Equal("2", request.ValueText(0));
        Assert.Equal(-1, request.Find("X-Secret"));
        Assert.False(request.SaysClose || request.SaysEmpty);
    }

    [Theory]
    [InlineData("GET / HTTP/1.0\r\nHost: x")]
    [InlineData("GET / HTTP/2.0\r\nHost: x")]
    [InlineData("get / HTTP/1.1\r\nHost: x")]
    [InlineData("TRACE / HTTP/1.1\r\nHost: x")]
    [InlineData("CONNECT x:80 HTTP/1.1\r\nHost: x")]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: x")]
    [InlineData("GET http://x/ HTTP/1.1\r\nHost: x")]
    [InlineData("GET  / HTTP/1.1\r\nHost: x")]
    [InlineData("GET /  HTTP/1.1\r\nHost: x")]
    [InlineData("GET /a b HTTP/1.1\r\nHost: x")]
    [InlineData("GET /%61 HTTP/1.1\r\nHost: x")]
    [InlineData("GET /a/../b HTTP/1.1\r\nHost: x")]
    [InlineData("GET /a/./b HTTP/1.1\r\nHost: x")]
    [InlineData("GET /a#b HTTP/1.1\r\nHost: x")]
    [InlineData("GET /a\\b HTTP/1.1\r\nHost: x")]
    [InlineData("GET /?a#b HTTP/1.1\r\nHost: x")]
    [InlineData("GET /\u00e9 HTTP/1.1\r\nHost: x")]
    [InlineData("GET / HTTP/1.1")]
    [InlineData("GET / HTTP/1.1\r\nHost:")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nHost: x")]
    [InlineData("GET / HTTP/1.1\r\nHost: x y")]
    [InlineData("GET / HTTP/1.1\r\nHost: x/y")]
    [InlineData("GET / HTTP/1.1\r\nHost: [::1]")]
    [InlineData("GET / HTTP/1.1\r\nHost: x:")]
    [InlineData("GET / HTTP/1.1\r\nHost: :80")]
    [InlineData("GET / HTTP/1.1\r\nHost: x:8a")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nX : y")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n: y")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nX: a\0b")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nX: a\rb")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\nX: b")]
    [InlineData("\r\nGET / HTTP/1.1\r\nHost: x")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +0")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 0")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nConnection: X-Other")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nConnection: close, X-Other")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue")]
    public void What_two_readers_could_take_in_two_ways_is_not_plain(string head)
    {
        Assert.Equal(ParseStep.Invalid, Read(new(), head + "\r\n\r\n"));
    }

    [Fact]
    public void A_head_that_has_not_come_whole_is_not_served()
    {
        const string Head = "GET /a HTTP/1.1\r\nHost: x\r\nX-One: 1\r\n\r\n";
        var request = new PlainRequest();

        for (var length = 1; length < Head.Length; length++) Assert.Equal(ParseStep.NeedsMore, Read(request, Head[..length]));

        Assert.Equal(ParseStep.Complete, Read(request, Head));
        Assert.Equal(Head.Length, request.Size);
    }

    [Theory]
    [InlineData(100, 50, ParseStep.Complete)]
    [InlineData(101, 50, ParseStep.Invalid)]
    [InlineData(2, 9000, ParseStep.NeedsMore)]
    public void A_long_head_is_the_servers(int fields, int length, object expected)
    {
        var more = string.Concat(Enumerable.Range(1, fields - 1).Select(number => $"X-{number}: {new string('x', length)}\r\n"));

        Assert.Equal(expected, Read(new(), $"GET / HTTP/1.1\r\nHost: x\r\n{more}\r\n"));
    }

    private static ParseStep Read(PlainRequest request, string text) => request.Read(Encoding.Latin1.GetBytes(text));

    private static IEnumerable<string> Names(PlainRequest request) => request.Fields.ToArray().Select(field => field.Name);
}
