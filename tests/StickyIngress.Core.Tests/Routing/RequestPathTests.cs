using CsCheck;
using StickyIngress.Core.Routing;

namespace StickyIngress.Core.Tests.Routing;

public sealed class RequestPathTests
{
    [Theory]
    [InlineData("", "/")]
    [InlineData("//", "/")]
    [InlineData("///a////b//", "/a/b/")]
    [InlineData("/a/./b", "/a/b")]
    [InlineData("/a/.", "/a/")]
    [InlineData("/a/..", "/")]
    [InlineData("/a/b/..", "/a/")]
    [InlineData("/a/../../../b", "/b")]
    [InlineData("/a//../b", "/b")]
    [InlineData("/..", "/")]
    public void Slashes_merge_and_dot_segments_are_resolved(string path, string expected) =>
        Assert.Equal(expected, RequestPath.ForMatching(path));

    [Theory]
    [InlineData("/")]
    [InlineData("/a/b/")]
    [InlineData("/.well-known/acme")]
    [InlineData("/a/..b/c..")]
    [InlineData("/a/...")]
    [InlineData("/a%2Fb")]
    [InlineData("*")]
    public void A_normal_path_is_the_same_string(string path) => Assert.Same(path, RequestPath.ForMatching(path));

    [Fact]
    public void What_comes_out_is_normal() => Gen.String[Gen.Char["/.a"], 0, 20].Sample(path =>
    {
        var matching = RequestPath.ForMatching("/" + path);

        Assert.StartsWith("/", matching, StringComparison.Ordinal);
        Assert.Same(matching, RequestPath.ForMatching(matching));
    });
}
