using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using StickyIngress.Core.Upstreams;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests;

/// <summary>Every row of next_upstream.json over the real port: which servers a request tries, and what counts as a failure.</summary>
public abstract class NextUpstreamConformanceTests(PeerEngine engine)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static IEnumerable<TheoryDataRow<string>> Conditions() => Vectors.Load("next_upstream.json").GetProperty("rows").EnumerateArray()
        .Select(row => row.GetProperty("condition").GetString()!).Distinct().Select(condition => new TheoryDataRow<string>(condition));

    [Theory]
    [MemberData(nameof(Conditions))]
    public async Task Tries_the_next_peer_when_nginx_does(string condition)
    {
        await using var good = await TestBackend.StartAsync("good");
        await using var bad = await BadServer.StartAsync(condition);

        foreach (var row in Vectors.Load("next_upstream.json").GetProperty("rows").EnumerateArray())
        {
            if (row.GetProperty("condition").GetString() == condition) await ReplayAsync(row, bad.EndPoint, good.EndPoint);
        }
    }

    private async Task ReplayAsync(JsonElement row, IPEndPoint bad, IPEndPoint good)
    {
        var conditions = row.GetProperty("proxy_next_upstream").GetString()!;
        await using var proxy = await ProxyUnderTest.StartAsync([bad, good], ProxyUnderTest.Settings with
        {
            Engine = engine,
            NextUpstream = new(Parse(conditions), 0, TimeSpan.Zero),
            // Short only where the peer is silent; elsewhere a slow machine would make a timeout of what is none.
            ReadTimeout = row.GetProperty("condition").GetString()!.Contains("timeout") ? TimeSpan.FromMilliseconds(150) : TimeSpan.FromSeconds(30),
        });
        var method = row.GetProperty("method").GetString()!;

        var status = await SendAsync(proxy, method);
        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 1, "the request ended", Stop);

        var tried = row.GetProperty("tried").EnumerateArray().Select(server => server.GetString() == "bad" ? bad : good);
        var statuses = row.GetProperty("statuses").EnumerateArray().Select(number => number.GetInt32().ToString());
        var expected = $"{row.GetProperty("client_status")} [{string.Join(", ", tried)}] [{string.Join(", ", statuses)}] "
            + (row.GetProperty("counted_as_failure").GetBoolean() ? "counted" : "not counted");
        var counted = proxy.Upstream.Primaries.Peers[0].State.Fails > 0 ? "counted" : "not counted";
        Assert.Equal($"{method} {conditions}: {expected}", $"{method} {conditions}: {proxy.Log.Lines[0]} {counted}");
        Assert.Contains(status, (int?[])[row.GetProperty("client_status").GetInt32(), null]);
        proxy.AssertNothingHeld();
    }

    /// <summary>The status that the client saw; null where a response that broke off was reset before it could be read.</summary>
    private static async Task<int?> SendAsync(ProxyUnderTest proxy, string method)
    {
        using var request = new HttpRequestMessage(new(method), "/");
        if (method != "GET") request.Content = new StringContent("x");
        try
        {
            using var response = await proxy.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
            return (int)response.StatusCode;
        }
        catch (HttpRequestException e) when (e.InnerException is IOException { InnerException: SocketException })
        {
            return null;
        }
    }

    private static NextUpstreamOn Parse(string words)
    {
        var on = NextUpstreamOn.None;
        foreach (var word in words.Split(' '))
        {
            if (word == "off") return NextUpstreamOn.None;
            on |= Enum.Parse<NextUpstreamOn>(word.Replace("_", ""), ignoreCase: true);
        }

        return on;
    }
}

public sealed class Http1NextUpstreamConformanceTests() : NextUpstreamConformanceTests(PeerEngine.Auto);

public sealed class YarpNextUpstreamConformanceTests() : NextUpstreamConformanceTests(PeerEngine.Yarp);
