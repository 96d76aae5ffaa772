using CsCheck;
using StickyIngress.Core.Routing;

namespace StickyIngress.Core.Tests.Routing;

public sealed class RequestHostTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("example.com", "example.com")]
    [InlineData("Example.COM", "example.com")]
    [InlineData("example.com:8080", "example.com")]
    [InlineData("example.com:", "example.com")]
    [InlineData("example.com.", "example.com")]
    [InlineData("example.com.:443", "example.com")]
    [InlineData("under_score.example", "under_score.example")]
    [InlineData("10.0.0.1:80", "10.0.0.1")]
    [InlineData("[::1]", "[::1]")]
    [InlineData("[::1]:8080", "[::1]")]
    [InlineData("[2001:DB8:0:0::1]", "[2001:db8::1]")]
    [InlineData("[1::2:3:4:5:6:7]", "[1:0:2:3:4:5:6:7]")]
    [InlineData("[::ffff:10.0.0.1]", "[::ffff:10.0.0.1]")]
    public void A_host_has_one_form(string header, string expected)
    {
        Span<char> buffer = stackalloc char[RequestHost.MaxLength];

        Assert.True(RequestHost.TryNormalize(header, buffer, out var length));
        Assert.Equal(expected, buffer[..length].ToString());
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a..b")]
    [InlineData("a..")]
    [InlineData(".a")]
    [InlineData(":80")]
    [InlineData("a:b")]
    [InlineData("a:0")]
    [InlineData("a:65536")]
    [InlineData("a:000080")]
    [InlineData("a:+80")]
    [InlineData("a:80:80")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("user@a")]
    [InlineData("a\r\nb")]
    [InlineData("a\0")]
    [InlineData("bücher.example")]
    [InlineData("a%20b")]
    [InlineData("::1")]
    [InlineData("[::1")]
    [InlineData("[::1]x")]
    [InlineData("[::1]:x")]
    [InlineData("[]")]
    [InlineData("[1.2.3.4]")]
    [InlineData("[fe80::1%eth0]")]
    [InlineData("[v1.a]")]
    public void What_is_no_host_is_refused(string header)
    {
        Span<char> buffer = stackalloc char[RequestHost.MaxLength];

        Assert.False(RequestHost.TryNormalize(header, buffer, out _));
    }

    [Fact]
    public void A_host_that_is_too_long_is_refused()
    {
        Span<char> buffer = stackalloc char[RequestHost.MaxLength];

        Assert.True(RequestHost.TryNormalize(new string('a', 255), buffer, out _));
        Assert.False(RequestHost.TryNormalize(new string('a', 256), buffer, out _));
    }

    [Fact]
    public void Normalising_never_throws_and_twice_is_once() => Gen.String[Gen.Char["aA.-_:[]0129f%é "], 0, 300].Sample(header =>
    {
        Span<char> buffer = stackalloc char[RequestHost.MaxLength];
        if (!RequestHost.TryNormalize(header, buffer, out var length)) return;

        Span<char> again = stackalloc char[RequestHost.MaxLength];
        Assert.True(RequestHost.TryNormalize(buffer[..length], again, out var same));
        Assert.Equal(buffer[..length].ToString(), again[..same].ToString());
    });
}
