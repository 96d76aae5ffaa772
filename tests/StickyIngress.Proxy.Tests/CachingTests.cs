using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests;

/// <summary>What is kept, for how long, and what <c>$upstream_cache_status</c> says of it.</summary>
public sealed class CachingTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static CacheSettings Cache { get; } = new(TestTemplates.Parse("$scheme$host$request_uri"), TimeSpan.FromSeconds(60), [], TimeSpan.Zero, 1000);

    [Theory]
    [InlineData("", "MISS HIT HIT")]
    [InlineData("Set-Cookie: a=b", "MISS MISS MISS")]
    [InlineData("Cache-Control: private", "MISS MISS MISS")]
    [InlineData("Cache-Control: no-store", "MISS MISS MISS")]
    [InlineData("Cache-Control: no-cache", "MISS MISS MISS")]
    [InlineData("Cache-Control: max-age=0", "MISS MISS MISS")]
    [InlineData("Cache-Control: max-age=0, s-maxage=9", "MISS HIT HIT")]
    [InlineData("X-Accel-Expires: 0", "MISS MISS MISS")]
    [InlineData("Expires: Thu, 01 Jan 1970 00:00:00 GMT", "MISS MISS MISS")]
    [InlineData("Vary: *", "MISS MISS MISS")]
    [InlineData("Vary: Accept", "MISS HIT HIT")]
    public async Task A_response_says_whether_it_may_be_kept(string header, string expected)
    {
        await using var backend = await TestBackend.StartAsync("a", context =>
        {
            if (header.Length > 0) context.Response.Headers[header.Split(": ")[0]] = header.Split(": ")[1];
            return context.Response.WriteAsync("hello");
        });
        await using var proxy = await StartAsync(backend);

        Assert.Equal(expected, await StatusesAsync(proxy, "/", "/", "/"));
    }

    [Theory]
    [InlineData(200, "MISS HIT")]
    [InlineData(301, "MISS HIT")]
    [InlineData(404, "MISS MISS")]
    [InlineData(500, "MISS MISS")]
    public async Task Only_nginxs_statuses_are_kept_without_being_asked_for(int status, string expected)
    {
        await using var backend = await TestBackend.StartAsync("a", context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });
        await using var proxy = await StartAsync(backend);

        Assert.Equal(expected, await StatusesAsync(proxy, "/", "/"));
    }

    [Fact]
    public async Task Target_and_varying_headers_tell_requests_apart()
    {
        await using var backend = await TestBackend.StartAsync("a", context =>
        {
            context.Response.Headers.Vary = "Accept-Language";
            return context.Response.WriteAsync(context.Request.Headers.AcceptLanguage + context.Request.QueryString);
        });
        await using var proxy = await StartAsync(backend);

        Assert.Equal("en?1", await GetAsync(proxy, "/?1", ("Accept-Language", "en")));
        Assert.Equal("de?1", await GetAsync(proxy, "/?1", ("Accept-Language", "de")));
        Assert.Equal("en?1", await GetAsync(proxy, "/?1", ("Accept-Language", "en")));
        Assert.Equal("en?2", await GetAsync(proxy, "/?2", ("Accept-Language", "en")));
        Assert.Equal(["MISS", "MISS", "HIT", "MISS"], proxy.Log.Lines);
    }

    [Fact]
    public async Task After_its_time_it_is_fetched_anew()
    {
        await using var backend = await TestBackend.StartAsync("a");
        await using var proxy = await StartAsync(backend);

        await StatusesAsync(proxy, "/", "/");
        _time.Advance(TimeSpan.FromSeconds(60));

        Assert.Equal("MISS HIT EXPIRED HIT", await StatusesAsync(proxy, "/", "/"));
    }

    [Fact]
    public async Task A_peer_that_says_nothing_changed_renews_it()
    {
        await using var backend = await TestBackend.StartAsync("a", context =>
        {
            context.Response.Headers.ETag = "\"1\"";
            if (context.Request.Headers.IfNoneMatch == "\"1\"")
            {
                context.Response.StatusCode = 304;
                return Task.CompletedTask;
            }

            return context.Response.WriteAsync("hello");
        });
        await using var proxy = await StartAsync(backend);

        await GetAsync(proxy, "/");
        _time.Advance(TimeSpan.FromSeconds(61));

        Assert.Equal("hello", await GetAsync(proxy, "/"));
        Assert.Equal("hello", await GetAsync(proxy, "/"));
        Assert.Equal(["MISS", "REVALIDATED", "HIT"], proxy.Log.Lines);
        proxy.AssertNothingHeld();
    }

    [Theory]
    [InlineData(502)]
    [InlineData(0)]
    public async Task Where_no_peer_answers_well_the_stale_one_does(int failure)
    {
        var broken = false;
        await using var backend = await TestBackend.StartAsync("a", context =>
        {
            if (broken && failure == 0) context.Abort();
            if (broken) context.Response.StatusCode = failure == 0 ? 500 : failure;
            return context.Response.WriteAsync(broken ? "broken" : "hello");
        });
        await using var proxy = await StartAsync(backend, Cache with { Stale = TimeSpan.FromSeconds(60) });

        await GetAsync(proxy, "/");
        broken = true;
        _time.Advance(TimeSpan.FromSeconds(61));

        Assert.Equal("hello", await GetAsync(proxy, "/"));
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.NotEqual("hello", await GetAsync(proxy, "/", mayFail: true));
        Assert.Equal(["MISS", "STALE"], proxy.Log.Lines.Take(2));
        proxy.AssertNothingHeld();
    }

    [Fact]
    public async Task While_one_request_fetches_it_anew_others_get_the_stale_one()
    {
        var goOn = new TaskCompletionSource();
        var slow = false;
        await using var backend = await TestBackend.StartAsync("a", async context =>
        {
            if (slow) await goOn.Task;
            await context.Response.WriteAsync(slow ? "new" : "old");
        });
        await using var proxy = await StartAsync(backend, Cache with { Stale = TimeSpan.FromSeconds(60) });

        await GetAsync(proxy, "/");
        slow = true;
        _time.Advance(TimeSpan.FromSeconds(61));
        var fetching = GetAsync(proxy, "/");
        await Eventually.HoldsAsync(() => backend.Requests.Count == 2, "the second request is at the peer", Stop);

        Assert.Equal("old", await GetAsync(proxy, "/"));
        goOn.SetResult();
        Assert.Equal("new", await fetching);
        Assert.Equal(["MISS", "UPDATING", "EXPIRED"], proxy.Log.Lines);
    }

    [Theory]
    [InlineData("Authorization", "Basic x", "BYPASS BYPASS")]
    [InlineData("X-Fresh", "1", "BYPASS HIT")]
    [InlineData("X-Fresh", "0", "MISS HIT")]
    public async Task A_bypass_goes_to_the_peer(string header, string value, string expected)
    {
        await using var backend = await TestBackend.StartAsync("a");
        await using var proxy = await StartAsync(backend, Cache with { Bypass = [TestTemplates.Parse("$http_x_fresh")] });

        await GetAsync(proxy, "/", (header, value));
        await GetAsync(proxy, "/", header == "Authorization" ? [(header, value)] : []);

        Assert.Equal(expected, string.Join(' ', proxy.Log.Lines));
    }

    [Fact]
    public async Task A_head_is_answered_from_a_get_and_a_client_that_has_it_gets_304()
    {
        await using var backend = await TestBackend.StartAsync("a", context =>
        {
            context.Response.Headers.ETag = "\"1\"";
            return context.Response.WriteAsync("hello");
        });
        await using var proxy = await StartAsync(backend);
        await GetAsync(proxy, "/");

        using var head = await proxy.Client.SendAsync(new(HttpMethod.Head, "/"), Stop);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("If-None-Match", "W/\"1\"");
        using var conditional = await proxy.Client.SendAsync(request, Stop);

        Assert.Equal(5, head.Content.Headers.ContentLength);
        Assert.Equal(304, (int)conditional.StatusCode);
        Assert.Single(backend.Requests);
    }

    [Fact]
    public async Task Posts_large_bodies_and_broken_ones_are_not_kept()
    {
        await using var large = await TestBackend.StartAsync("a", context => context.Response.WriteAsync(new string('x', 1001)));
        await using var proxy = await StartAsync(large);
        await proxy.Client.PostAsync("/", new StringContent("x"), Stop);
        Assert.Equal(" MISS MISS", await StatusesAsync(proxy, "/", "/"));

        await using var broken = RawBackend.Sending("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort");
        await using var second = await ProxyUnderTest.StartAsync([broken.EndPoint], ProxyUnderTest.Settings with { Cache = Cache }, time: _time);
        second.Log.Format = TestTemplates.Parse("$upstream_cache_status");
        foreach (var _ in Enumerable.Range(0, 2)) await GetAsync(second, "/", mayFail: true);
        await Eventually.HoldsAsync(() => second.Log.Lines is ["MISS", "MISS"], "both went to the peer", Stop);
    }

    private async Task<ProxyUnderTest> StartAsync(TestBackend backend, CacheSettings? cache = null)
    {
        var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint], ProxyUnderTest.Settings with { Cache = cache ?? Cache }, time: _time);
        proxy.Log.Format = TestTemplates.Parse("$upstream_cache_status");
        return proxy;
    }

    private static async Task<string> StatusesAsync(ProxyUnderTest proxy, params string[] targets)
    {
        foreach (var target in targets) await GetAsync(proxy, target);
        return string.Join(' ', proxy.Log.Lines);
    }

    private static Task<string> GetAsync(ProxyUnderTest proxy, string target, params (string Name, string Value)[] headers) =>
        GetAsync(proxy, target, mayFail: false, headers);

    private static async Task<string> GetAsync(ProxyUnderTest proxy, string target, bool mayFail, params (string Name, string Value)[] headers)
    {
        var logged = proxy.Log.Lines.Count;
        using var request = new HttpRequestMessage(HttpMethod.Get, target);
        foreach (var (name, value) in headers) request.Headers.Add(name, value);
        try
        {
            using var response = await proxy.Client.SendAsync(request, Stop);
            var body = await response.Content.ReadAsStringAsync(Stop);
            await Eventually.HoldsAsync(() => proxy.Log.Lines.Count > logged, "the request was logged", Stop);
            return body;
        }
        catch (HttpRequestException) when (mayFail)
        {
            return "";
        }
    }
}
