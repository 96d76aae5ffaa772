using CsCheck;
using StickyIngress.Core.Cookies;

namespace StickyIngress.Core.Tests.Cookies;

public sealed class CookieHeaderTests
{
    [Theory]
    [InlineData("a=1", "1")]
    [InlineData("b=2; a=1", "1")]
    [InlineData("b=2;a=1", "1")]
    [InlineData("a=1; a=2", "1")]
    [InlineData("A=1", "1")]
    [InlineData("a = 1", "1")]
    [InlineData("a  =  1", "1")]
    [InlineData("a=1 ; b=2", "1 ")]
    [InlineData("a=", "")]
    [InlineData("a=;b=1", "")]
    [InlineData("a==", "=")]
    [InlineData("a=b=c", "b=c")]
    [InlineData("a=%31", "%31")]
    [InlineData("a=\"1\"", "\"1\"")]
    [InlineData("a=1,2", "1,2")]
    [InlineData("a; a=1", "1")]
    [InlineData("; ;a=1", "1")]
    [InlineData("ab=2; a=1", "1")]
    public void The_first_cookie_of_that_name_counts(string header, string expected)
    {
        Assert.True(CookieHeader.TryFind(header, "a", out var value));
        Assert.Equal(expected, value.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("a;")]
    [InlineData("ab=1")]
    [InlineData("b=a=1")]
    [InlineData("b=1,a=2")]
    [InlineData("=1")]
    [InlineData("a b=1")]
    public void Another_cookie_is_not_it(string header) => Assert.False(CookieHeader.TryFind(header, "a", out _));

    [Theory]
    [InlineData("a=1; Path=/; HttpOnly", "1")]
    [InlineData("A = 1;Path=/", "1")]
    [InlineData("a=", "")]
    [InlineData("a=x y; b=2", "x y")]
    [InlineData("b=2; a=1", null)]
    [InlineData("ab=2", null)]
    [InlineData("a", null)]
    public void Set_Cookie_is_read_by_its_first_pair(string header, string? expected) =>
        Assert.Equal(expected, CookieHeader.TryReadSetCookie(header, "a", out var value) ? value.ToString() : null);

    [Theory]
    [InlineData("a=1", null)]
    [InlineData("a=1; b=2", null)]
    [InlineData("a=1; c=3", "c=3")]
    [InlineData("c=3; a=1", "c=3")]
    [InlineData("c=3; a=1; d=4; B=2; e=5", "c=3; d=4; e=5")]
    [InlineData("c=3;a=1;d=4", "c=3; d=4")]
    [InlineData("a=1; a=2; c=3", "c=3")]
    [InlineData(" a = 1 ;; c=a=1", "c=a=1")]
    public void Hidden_cookies_are_taken_out(string header, string? expected) => Assert.Equal(expected, CookieHeader.Without(header, ["a", "b"]));

    [Theory]
    [InlineData("")]
    [InlineData("c=3;d=4 ;  e")]
    [InlineData("ab=1")]
    public void A_header_without_them_is_the_same_string(string header) => Assert.Same(header, CookieHeader.Without(header, ["a", "b"]));

    [Fact]
    public void Whatever_comes_what_is_taken_out_is_not_found_again() => Gen.String[Gen.Char["aAb=; ,\"\0é"], 0, 40].Sample(header =>
    {
        var rest = CookieHeader.Without(header, ["a"]);

        Assert.False(CookieHeader.TryFind(rest, "a", out _));
        if (CookieHeader.TryFind(header, "b", out var before))
        {
            Assert.True(CookieHeader.TryFind(rest, "b", out var after));
            Assert.Equal(before.ToString().TrimEnd(), after.ToString().TrimEnd());
        }
    });
}
