using System.Diagnostics;
using StickyIngress.Core.Routing;
using StickyIngress.Core.Tests.Fakes;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Tests.Routing;

public sealed class RouteTableTests
{
    // Entries: host path, in order; "1*." is a wildcard for one label, "any" is any host; = exact, ~ pattern, else
    // prefix. The answer is the entry's number.
    [Theory]
    [InlineData("a.example /", "a.example", "/x", 0)]
    [InlineData("a.example /", "b.example", "/x", -1)]
    [InlineData("any /", "", "/", 0)]
    [InlineData("any /|a.example /", "a.example", "/", 1)]
    [InlineData("*.example /|a.example /", "a.example", "/", 1)]
    [InlineData("*.example /|*.b.example /", "a.b.example", "/", 1)]
    [InlineData("*.example /", "a.b.c.example", "/", 0)]
    [InlineData("*.example /", "example", "/", -1)]
    [InlineData("*.example /", "aexample", "/", -1)]
    [InlineData("1*.example /", "a.example", "/", 0)]
    [InlineData("1*.example /", "a.b.example", "/", -1)]
    [InlineData("1*.b.example /|*.example /", "x.a.b.example", "/", 1)]
    [InlineData("*.example /|1*.example /", "a.example", "/", 1)]
    [InlineData("*.example /cart|1*.example /pay", "a.example", "/cart", 0)]
    [InlineData("*.example /cart|1*.example /pay", "a.b.example", "/pay", -1)]
    [InlineData("a.example /cart|any /", "a.example", "/other", -1)]
    [InlineData("a.example /cart|*.example /", "a.example", "/other", -1)]
    [InlineData("any /cart", "h", "/cart", 0)]
    [InlineData("any /cart", "h", "/cart/", 0)]
    [InlineData("any /cart", "h", "/cart/x/y", 0)]
    [InlineData("any /cart", "h", "/cartoon", -1)]
    [InlineData("any /cart", "h", "/Cart", -1)]
    [InlineData("any /cart", "h", "/", -1)]
    [InlineData("any /cart/", "h", "/cart", 0)]
    [InlineData("any //cart", "h", "/cart", 0)]
    [InlineData("any /|any /a|any /a/b", "h", "/a/b/c", 2)]
    [InlineData("any /|any /a|any /a/b", "h", "/a/bc", 1)]
    [InlineData("any /|any /a|any /a/b", "h", "/ab", 0)]
    [InlineData("any /a|any =/a", "h", "/a", 1)]
    [InlineData("any /a|any =/a", "h", "/a/", 0)]
    [InlineData("any =/a/", "h", "/a", -1)]
    [InlineData("any /a/b/c|any ~b", "h", "/a/b/c", 1)]
    [InlineData("any =/a|any ~a", "h", "/a", 0)]
    [InlineData("any ~a|any ~a.c", "h", "/abc", 1)]
    [InlineData("any ~b.|any ~a.", "h", "/abc", 1)]
    [InlineData("any ~^/a$", "h", "/xa", -1)]
    [InlineData("any ~\\.php$|any /", "h", "/x.php", 0)]
    [InlineData("any ~\\.php$|any /", "h", "/x.php5", 1)]
    [InlineData("any /a|any /a", "h", "/a", 0)]
    [InlineData("A.Example. /", "a.example", "/", 0)]
    [InlineData("[0:0::1] /", "[::1]", "/", 0)]
    [InlineData("10.0.0.1 /", "10.0.0.1", "/", 0)]
    [InlineData("xn--bcher-kva.example /", "xn--bcher-kva.example", "/", 0)]
    public void The_most_specific_host_and_then_path_decides(string entries, string host, string path, int expected)
    {
        var table = Build(entries.Split('|'));

        Assert.Equal(expected, table.Match(host, path)?.Upstream ?? -1);
    }

    [Fact]
    public void The_same_host_and_path_twice_is_told()
    {
        var builder = new RouteTableBuilder();

        Assert.True(builder.TryAdd(Host("a.example"), Path("/cart"), Route(0)));
        Assert.False(builder.TryAdd(Host("A.example."), Path("/cart/"), Route(1)));
        Assert.True(builder.TryAdd(Host("a.example"), Path("=/cart"), Route(1)));
        Assert.True(builder.TryAdd(Host("1*.a.example"), Path("/cart"), Route(1)));
        Assert.True(builder.TryAdd(Host("*.a.example"), Path("/cart"), Route(1)));
    }

    [Theory]
    [InlineData("bücher.example", "ASCII form")]
    [InlineData("*.bücher.example", "ASCII form")]
    [InlineData("a.*.example", "first label")]
    [InlineData("*", "first label")]
    [InlineData("*a.example", "first label")]
    [InlineData("a.example:80", "port")]
    [InlineData("", "not a host name")]
    [InlineData("*.", "not a host name")]
    [InlineData(".", "not a host name")]
    [InlineData("a..b", "not a host name")]
    [InlineData(".a", "not a host name")]
    [InlineData("a b", "not a host name")]
    [InlineData("a/b", "not a host name")]
    [InlineData("[::1]:80", "not a host name")]
    [InlineData("[1.2.3.4]", "not a host name")]
    [InlineData("*.[::1]", "not a host name")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example", "not a host name")]
    public void A_host_that_no_client_can_send_is_refused(string text, string message)
    {
        Assert.False(HostPattern.TryParse(text, out _, out var error));
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PathKind.Prefix, "cart", "begin with /")]
    [InlineData(PathKind.Exact, "", "begin with /")]
    [InlineData(PathKind.Regex, "(", "not a pattern")]
    [InlineData(PathKind.Regex, "(?=a)", "look-around")]
    [InlineData(PathKind.Regex, @"(a)\1", "back-reference")]
    public void A_path_that_cannot_match_is_refused(PathKind kind, string text, string message)
    {
        Assert.False(PathPattern.TryParse(kind, text, out _, out var error));
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pattern_made_to_backtrack_does_not()
    {
        var table = Build(["any ~^/(a+)+$"]);
        var started = Stopwatch.GetTimestamp();

        Assert.Null(table.Match("h", "/" + new string('a', 20_000) + "!"));
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void A_lookup_allocates_nothing()
    {
        var table = Build(["a.example /cart", "a.example =/x", "a.example ~^/y", "*.example /", "any /"]);
        string[] hosts = ["a.example", "b.c.example", "nowhere.test", ""];
        string[] paths = ["/cart/x/y", "/x", "/yy", "/none"];
        var matched = Lookups();
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 100; i++) matched = Lookups();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(15, matched);

        int Lookups()
        {
            var count = 0;
            foreach (var host in hosts)
            {
                foreach (var path in paths)
                    if (table.Match(host, path) is not null) count++;
            }

            return count;
        }
    }

    private static RouteTable Build(string[] entries)
    {
        var builder = new RouteTableBuilder();
        for (var i = 0; i < entries.Length; i++)
        {
            var parts = entries[i].Split(' ', 2);
            builder.TryAdd(Host(parts[0]), Path(parts[1]), Route(i));
        }

        return builder.Build();
    }

    private static HostPattern Host(string text)
    {
        if (text == "any") return HostPattern.Any;

        var oneLabel = text.StartsWith('1') && text[1] == '*';
        Assert.True(HostPattern.TryParse(oneLabel ? text[1..] : text, out var host, out var error), error);
        return host with { OneLabel = oneLabel };
    }

    private static PathPattern Path(string text)
    {
        var kind = text[0] switch { '=' => PathKind.Exact, '~' => PathKind.Regex, _ => PathKind.Prefix };
        Assert.True(PathPattern.TryParse(kind, kind == PathKind.Prefix ? text : text[1..], out var path, out var error), error);
        return path;
    }

    private static Route Route(int number) => new(number, new ProxySettings
    {
        Host = FakePeers.Template("$host"),
        ConnectTimeout = TimeSpan.FromSeconds(60),
        SendTimeout = TimeSpan.FromSeconds(60),
        ReadTimeout = TimeSpan.FromSeconds(60),
        MaxBodySize = 0,
        RequestBuffer = 0,
        NextUpstream = new(NextUpstreamOn.Error, 0, TimeSpan.Zero),
        Keepalive = new(32, 1000, TimeSpan.FromHours(1), TimeSpan.FromSeconds(60)),
    });
}
