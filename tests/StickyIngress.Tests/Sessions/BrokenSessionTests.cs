using System.Collections.Concurrent;
using System.Net;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests.Sessions;

/// <summary>What clients get whose session cannot be kept, or is only just made.</summary>
public sealed class BrokenSessionTests
{
    private const string Learn = "{ learn: { create: [$arg_s], lookup: [$arg_s], maxSessions: 1000, header: true }";

    [Fact]
    public async Task A_strict_session_whose_server_is_down_gets_the_fail_status_and_no_other_server()
    {
        const string Strict = Learn + ", onUnavailable: Fail, failStatus: 404 }";
        await using var shop = await ExplainedShop.StartAsync(Strict);
        await shop.AskAsync("/u?s=1");

        await shop.ChangeAsync(Strict, a: ", down: true");
        var refused = await shop.AskAsync("/u?s=1");
        var stranger = await shop.AskAsync("/u?s=2");

        Assert.Equal((HttpStatusCode.NotFound, "rejected/peer_down"), (refused.Status, refused.Told));
        Assert.Equal((HttpStatusCode.OK, "new/"), (stranger.Status, stranger.Told));
        Assert.Equal(1, await shop.SumAsync("affinity_breaks_total", "reason=\"peer_down\""));
        Assert.Equal(1, await shop.SumAsync("affinity_requests_total", "outcome=\"rejected\""));
        Assert.Equal(3, await shop.SumAsync("affinity_requests_total"));
    }

    [Theory]
    [InlineData("c=AAAAAAAAAAAAAAAAAAAAAA")] // of the right length
    [InlineData("c=%00%ff\"<script>")]
    [InlineData("c=a; c=b; C=d")]
    [InlineData("oversized")]
    public async Task A_cookie_that_is_none_of_ours_is_counted_and_never_an_error(string cookie)
    {
        await using var shop = await ExplainedShop.StartAsync("{ cookie: { name: c } }");

        var answer = await shop.AskAsync("/u", cookie == "oversized" ? "c=" + new string('x', 8_000) : cookie);

        Assert.Equal((HttpStatusCode.OK, true), (answer.Status, answer.Cookie?.StartsWith("c=", StringComparison.Ordinal)));
        Assert.Equal("rebound/unknown", answer.Told);
        Assert.Equal(1, await shop.SumAsync("affinity_breaks_total", "reason=\"unknown\""));
    }

    [Theory]
    [InlineData("500ms", "rebound/peer_full")]
    [InlineData("1h", "kept/")]
    public async Task A_client_whose_server_is_full_waits_for_it_as_long_as_the_queue_says(string timeout, string told)
    {
        await using var shop = await ExplainedShop.StartAsync($"{{ cookie: {{ name: c }} }}\nqueue: {{ size: 9, timeout: {timeout} }}", a: ", maxConns: 1");
        var first = await shop.AskAsync("/u");
        var holding = shop.AskAsync("/u/hold", first.Cookie);
        await Eventually.HoldsAsync(() => shop.RequestsToA.Contains("GET /u/hold"), "a is busy", TestContext.Current.CancellationToken);

        var waiting = shop.AskAsync("/u", first.Cookie);
        await Eventually.HoldsAsync(
            async () => waiting.IsCompleted || await shop.SumAsync("upstream_queue_length") == 1, "it waits", TestContext.Current.CancellationToken);
        if (told == "kept/") shop.Release();

        Assert.Equal(told, (await waiting).Told);
        shop.Release();
        Assert.Equal("kept/", (await holding).Told);
    }

    [Fact]
    public async Task First_requests_of_one_session_at_once_end_on_one_server()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        using var manifests = With(Upstream("u", servers.Addresses, $"sticky: {Learn} }}"));
        await using var process = await StickyProcess.ServeAsync(manifests);

        var later = new ConcurrentBag<string>();
        await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => process.GetAsync("/u?s=one")));
        await Task.WhenAll(Enumerable.Range(0, 30).Select(async _ => later.Add(await process.GetAsync("/u?s=one"))));

        Assert.Single(later.Distinct());
    }
}
