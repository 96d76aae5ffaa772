using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>Variables in every place that takes them: what they hold, and what they cannot do.</summary>
public sealed partial class VariablesTests
{
    private const string Answer = "HTTP/1.1 200 OK\r\nSet-Cookie: sid=s1; path=/\r\nX-Out: three\r\nX-Out: four\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "4\r\nbody\r\n0\r\nT: five\r\n\r\n";

    private const string Hostile = "$uri$arg_a$http_x_evil$cookie_k";

    /// <summary>Each variable with what it must be, for a request that a first server refuses and a second one answers.</summary>
    private static readonly (string Variable, string Value)[] All =
    [
        ("host", @"h\.test"), ("uri", "/u/a b"), ("request_uri", @"/u/a%20b\?q=%31&Q=2"), ("args", "q=%31&Q=2"), ("arg_q", "%31"), ("cookie_c", "v"),
        ("http_x_in", "one, two"), ("remote_addr", @"127\.0\.0\.1"), ("remote_port", "[0-9]+"), ("scheme", "http"), ("server_port", "[0-9]+"),
        ("request_method", "GET"), ("request_id", "[0-9a-f]{32}"), ("status", "200"), ("body_bytes_sent", "4"), ("request_time", @"\d+\.\d{3}"),
        ("msec", @"\d{10}\.\d{3}"), ("upstream_addr", @"127\.0\.0\.1:[0-9]+, 127\.0\.0\.1:[0-9]+"), ("upstream_status", "502, 200"),
        ("upstream_connect_time", @"-, \d\.\d{3}"), ("upstream_header_time", @"-, \d\.\d{3}"), ("upstream_response_time", @"\d\.\d{3}, \d\.\d{3}"),
        ("upstream_response_length", "0, 4"), ("upstream_bytes_received", "0, [1-9][0-9]+"), ("upstream_bytes_sent", "0, [1-9][0-9]+"),
        ("upstream_queue_time", "(?:-|0.000), -"), ("upstream_last_server_name", @"127\.0\.0\.1"), ("upstream_cookie_sid", "s1"),
        ("upstream_http_x_out", "three, four"), ("upstream_trailer_t", "five"), ("upstream_cache_status", "MISS"), ("sticky_outcome", "new"), ("sticky_reason", "-"),
        ("peer", @"127\.0\.0\.1:[0-9]+"), ("arg_absent", "-"),
    ];

    /// <summary>A spec for each place where a variable may stand.</summary>
    private static readonly Dictionary<string, string> Places = new()
    {
        ["set"] = $$"""proxy: { setHeaders: [{ name: X-V, value: "{{Hostile}}" }] }""",
        ["add"] = $$"""proxy: { responseHeaders: [{ name: X-V, value: "{{Hostile}}", always: true }] }""",
        ["host"] = $$"""proxy: { host: "{{Hostile}}" }""",
        ["hash"] = $$"""balancing: { method: Hash, hash: { key: "{{Hostile}}" } }""",
        ["ketama"] = $$"""balancing: { method: Hash, hash: { key: "{{Hostile}}", consistent: true } }""",
        ["route"] = """sticky: { route: { from: [$uri, $arg_a, $http_x_evil, $cookie_k] } }""",
        ["learn"] = """sticky: { learn: { create: [$arg_a, $uri], lookup: [$uri], maxSessions: 100 } }""",
        ["domain"] = $$"""sticky: { cookie: { name: c, domain: "{{Hostile}}" } }""",
        ["samesite"] = """sticky: { cookie: { name: c, sameSite: "$arg_a" } }""",
        ["cache"] = $$"""proxy: { cache: { enabled: true, key: "{{Hostile}}" } }""",
        ["map"] = """
            variables: [{ name: m, from: "$uri", match: "(?<rest>.*)", value: "$rest" }]
            proxy: { setHeaders: [{ name: X-V, value: "$m" }], responseHeaders: [{ name: X-V, value: "$m" }] }
            """,
        ["tls"] = $$"""proxy: { protocol: HTTPS, connectTimeout: 200ms, tls: { verify: false, serverName: "{{Hostile}}" } }""",
        ["yarp"] = $$"""proxy: { engine: Yarp, host: "{{Hostile}}", setHeaders: [{ name: X-V, value: "{{Hostile}}" }, { name: Content-Language, value: "{{Hostile}}" }] }""",
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_has_its_value_in_the_log()
    {
        var heads = new ConcurrentQueue<string>();
        await using var backend = Answering(Answer, heads);
        using var manifests = With(Upstream("u", [$"127.0.0.1:{FreePort.Next()}", backend.Address], """
            variables: [{ name: mapped, from: "$cookie_c", match: "(?<all>.+)", value: "$all!" }]
            sticky: { learn: { create: [$upstream_cookie_sid], lookup: [$cookie_sid], maxSessions: 10 } }
            queue: { size: 10 }
            proxy: { cache: { enabled: true }, setHeaders: [{ name: X-Mapped, value: "$mapped" }] }
            """));
        var format = string.Join('|', All.Select(row => $"${{{row.Variable}}}"));
        await using var process = await StickyProcess.ServeAsync(manifests, "--access-log", format);

        await TestClient.ExchangeAsync(process.Http,
            "GET /u/a%20b?q=%31&Q=2 HTTP/1.1\r\nHost: H.test:8080\r\nX-In: one\r\nX-In: two\r\nCookie: c=v; c=w\r\nConnection: close\r\n\r\n", Stop);
        await Eventually.HoldsAsync(() => process.Output.Count == 1, "a line is written", Stop);

        var values = process.Output[0].Split('|');
        Assert.All(All.Zip(values), pair => Assert.Matches($@"^(?:{pair.First.Value})\z", pair.Second));
        Assert.Contains("X-Mapped: v!\r\n", heads.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_value_breaks_out_of_its_place()
    {
        var heads = new ConcurrentQueue<string>();
        await using var backend = Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", heads);
        using var manifests = With([.. Places.Select(place => Upstream(place.Key, [backend.Address, backend.Address], place.Value))]);
        await using var process = await StickyProcess.ServeAsync(manifests, "--access-log", Hostile);
        var requests = Places.Keys.SelectMany(Requests).ToArray();

        foreach (var request in requests)
        {
            var answer = await TestClient.ExchangeAsync(process.Http, request, Stop);

            var head = answer[..answer.IndexOf("\r\n\r\n", StringComparison.Ordinal)];
            Assert.Matches("^HTTP/1.1 (200|400|502|504) ", head);
            Assert.DoesNotContain(head.Split("\r\n"), line => line.Contains('\n', StringComparison.Ordinal) || line.Contains('\r', StringComparison.Ordinal));
            Assert.DoesNotContain(head.Split("\r\n"), line => line.StartsWith("X-Injected", StringComparison.OrdinalIgnoreCase));
            Assert.All(head.Split("\r\n").Where(line => line.StartsWith("Set-Cookie", StringComparison.Ordinal)), line => Assert.Matches(OurCookie(), line));
        }

        Assert.All(heads, head => Assert.DoesNotContain(head.Split('\n'), line => line.StartsWith("X-Injected", StringComparison.OrdinalIgnoreCase)));
        await Eventually.HoldsAsync(() => process.Output.Count >= requests.Length, "every request is logged", Stop);
        Assert.Equal(requests.Length, process.Output.Count);
    }

    private static IEnumerable<string> Requests(string place) => new[]
    {
        $"GET /{place}/%0d%0aX-Injected:%20yes%3b%20Domain=evil?a=b HTTP/1.1\r\n",
        $"GET /{place}/x?a=%0d%0aX-Injected:yes;%20Domain=evil;Secure HTTP/1.1\r\n",
        $"GET /{place}/%01%09%0a%0d%7f%ff%c3%bc?a=%00%ff HTTP/1.1\r\n",
        $"GET /{place}/x HTTP/1.1\r\nX-Evil: a; Domain=evil,\t\"b\\\u00ff\r\nCookie: k=\"v,;k=w\u00fc\r\n",
        $"GET /{place}/x HTTP/1.1\r\nX-Evil: %0d%0aX-Injected: yes\r\nCookie: k=%0d%0aX-Injected: yes\r\n",
        $"GET /{place}/{new string('x', 6000)}?a={new string(';', 1000)} HTTP/1.1\r\n",
        $"POST /{place}/%0d%0aX-Injected:%20yes HTTP/1.1\r\nContent-Length: 2\r\n",
    }.Select(head => $"{head}Host: h\r\nConnection: close\r\n\r\n{(head.StartsWith("POST", StringComparison.Ordinal) ? "hi" : "")}");

    private static RawBackend Answering(string answer, ConcurrentQueue<string> heads) => RawBackend.Start(async (stream, cancellationToken) =>
    {
        heads.Enqueue(await RawBackend.ReadHeadAsync(stream, cancellationToken));
        await stream.WriteAsync(Encoding.Latin1.GetBytes(answer), cancellationToken);
    });

    [GeneratedRegex("^Set-Cookie: c=[A-Za-z0-9_-]+(; domain=[^;]*)?; httponly(; samesite=(strict|lax|none))?; path=/$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex OurCookie();
}
