using System.Collections.Concurrent;
using System.Net;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests.Sessions;

/// <summary>What clients get whose session cannot be kept, and how it is counted.</summary>
public sealed class BrokenSessionTests
{
    private const string Explain = "proxy: { responseHeaders: [{ name: X-Sticky, value: \"$sticky_outcome/$sticky_reason\", always: true }] }";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_request_and_every_break_is_counted_once_and_told()
    {
        await using var a = await TestBackend.StartAsync("a");
        var b = await TestBackend.StartAsync("b");
        using var manifests = With(Cookie("", a.Address, b.Address));
        await using var process = await StickyProcess.ServeAsync(manifests);
        var first = await AskAsync(process, "/u", null);
        Assert.Equal("new/", first.Told);
        Assert.Equal("kept/", (await AskAsync(process, "/u", first.Cookie)).Told);
        Assert.Equal("rebound/unknown", (await AskAsync(process, "/u", "c=forged")).Told);

        await ChangeAsync(process, manifests, Cookie("", a.Address + ", down: true", b.Address));
        Assert.Equal("rebound/peer_down", (await AskAsync(process, "/u", first.Cookie)).Told);
        await ChangeAsync(process, manifests, Cookie("", b.Address));
        var second = await AskAsync(process, "/u", first.Cookie);
        Assert.Equal("rebound/peer_gone", second.Told);

        await ChangeAsync(process, manifests, Cookie("", a.Address, b.Address + ", failTimeout: 1h"));
        await b.DisposeAsync();
        Assert.Equal("rebound/connect_failed", (await AskAsync(process, "/u", second.Cookie)).Told);
        Assert.Equal("rebound/peer_suspended", (await AskAsync(process, "/u", second.Cookie)).Told);
        await ChangeAsync(process, manifests, Cookie(", onUnavailable: Fail, failStatus: 404", a.Address, b.Address + ", failTimeout: 1h"));
        var refused = await AskAsync(process, "/u", second.Cookie);

        Assert.Equal((HttpStatusCode.NotFound, "rejected/peer_suspended"), (refused.Status, refused.Told));
        Assert.Equal(8, await SumAsync(process, "stickyingress_affinity_requests_total{"));
        Assert.Equal(6, await SumAsync(process, "stickyingress_affinity_breaks_total{"));
        Assert.Equal(
            await SumAsync(process, "stickyingress_affinity_breaks_total{"),
            await SumAsync(process, "stickyingress_affinity_requests_total{", "rebound") + await SumAsync(process, "stickyingress_affinity_requests_total{", "rejected"));
    }

    [Fact]
    public async Task A_strict_session_whose_server_is_down_gets_the_fail_status_and_no_other_server()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        const string Strict = """
            sticky: { learn: { create: [$arg_s], lookup: [$arg_s], maxSessions: 1000, header: true }, onUnavailable: Fail, failStatus: 404 }
            """ + "\n" + Explain;
        using var manifests = With(Upstream("u", servers.Addresses, Strict));
        await using var process = await StickyProcess.ServeAsync(manifests);
        Assert.Equal("a", await process.GetAsync("/u?s=1"));

        await ChangeAsync(process, manifests, Upstream("u", [servers[0].Address + ", down: true", servers[1].Address], Strict));
        var refused = await AskAsync(process, "/u?s=1", null);
        var stranger = await AskAsync(process, "/u?s=2", null);

        Assert.Equal((HttpStatusCode.NotFound, "rejected/peer_down"), (refused.Status, refused.Told));
        Assert.Equal((HttpStatusCode.OK, "new/"), (stranger.Status, stranger.Told));
    }

    [Fact]
    public async Task First_requests_of_one_session_at_once_end_on_one_server()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        using var manifests = With(Upstream(
            "u", servers.Addresses, "sticky: { learn: { create: [$arg_s], lookup: [$arg_s], maxSessions: 1000, header: true } }"));
        await using var process = await StickyProcess.ServeAsync(manifests);

        var later = new ConcurrentBag<string>();
        await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => process.GetAsync("/u?s=one")));
        await Task.WhenAll(Enumerable.Range(0, 30).Select(async _ => later.Add(await process.GetAsync("/u?s=one"))));

        Assert.Single(later.Distinct());
    }

    private static string Cookie(string more, params string[] servers) =>
        Upstream("u", servers, $"sticky: {{ cookie: {{ name: c }}{more} }}\n{Explain}");

    private static async Task ChangeAsync(StickyProcess process, Manifests manifests, string document)
    {
        const string Revision = "stickyingress_config_revision";
        var before = await process.MetricAsync(Revision);
        manifests.Replace("upstreams.yaml", document);
        await Eventually.HoldsAsync(async () => await process.MetricAsync(Revision) > before, "the change serves", Stop);
    }

    private static async Task<(HttpStatusCode Status, string? Cookie, string? Told)> AskAsync(StickyProcess process, string target, string? cookie)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, target);
        if (cookie is not null) request.Headers.Add("Cookie", cookie);
        using var response = await process.Client.SendAsync(request, Stop);
        return (
            response.StatusCode,
            response.Headers.TryGetValues("Set-Cookie", out var set) ? set.Single().Split(';')[0] : null,
            response.Headers.TryGetValues("X-Sticky", out var told) ? told.Single() : null);
    }

    private static async Task<double> SumAsync(StickyProcess process, string series, string label = "") =>
        (await process.MetricsAsync()).Where(line => line.StartsWith(series, StringComparison.Ordinal) && line.Contains(label, StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..]));
}
