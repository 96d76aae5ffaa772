using System.Diagnostics;
using StickyIngress.Core.Tests.Fakes;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Tests.Variables;

public sealed class MapVariableTests
{
    [Theory]
    [InlineData("JSESSIONID=abc.node1", "node1")]
    [InlineData("jsessionid=abc.node1.b", "b")]
    [InlineData("JSESSIONID=abc", "")]
    [InlineData("", "")]
    public void The_pattern_s_group_is_the_value(string cookie, string expected)
    {
        var route = Map("route", "$cookie_jsessionid", @"^.+\.(?<route>\w+)$", "$route");

        Assert.Equal(expected, new FakeRequest { Cookie = cookie }.Evaluate(route));
    }

    [Theory]
    [InlineData("a1", "first a1")]
    [InlineData("b1", "second b1")]
    [InlineData("c1", "")]
    public void The_first_pattern_that_matches_gives_the_value(string arg, string expected)
    {
        var second = Map("v", "$arg_a", "^b", "second $arg_a");
        var first = Map("v", "$arg_a", "^a", "first $arg_a", second.Map);

        Assert.Equal(expected, new FakeRequest { Args = { ["a"] = arg } }.Evaluate(first));
    }

    [Fact]
    public void What_a_client_sends_stays_what_it_is()
    {
        var map = Map("v", "$arg_a", "^(?<all>.*)$", "[$all]");

        Assert.Equal("[$host $all]", new FakeRequest { Args = { ["a"] = "$host $all" } }.Evaluate(map));
    }

    [Fact]
    public void A_pattern_made_to_backtrack_does_not()
    {
        var map = Map("v", "$arg_a", "^(a|a)*$", "x");
        var started = Stopwatch.GetTimestamp();

        Assert.Equal("", new FakeRequest { Args = { ["a"] = new string('a', 20_000) + "!" } }.Evaluate(map));
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(5));
    }

    private static Variable Map(string name, string from, string pattern, string value, MapVariable? otherwise = null)
    {
        Assert.True(LinearRegex.TryCompile(pattern, out var regex, out var error), error);
        Variable? Capture(string group) => regex.GetGroupNames().Contains(group) ? new(VariableKind.Capture, group) : null;
        Assert.True(Template.TryParse(value, Capture, out var template, out error), error);
        return new(VariableKind.Map, name, new MapVariable(name, FakePeers.Template(from), regex, template, otherwise));
    }
}
