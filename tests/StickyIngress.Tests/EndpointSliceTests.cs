using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>A peer from an EndpointSlice lives as its conditions say.</summary>
public sealed class EndpointSliceTests
{
    private const string Cookie = "cookie: { name: c }";
    private const string Learn = "learn: { create: [$arg_s], lookup: [$arg_s], maxSessions: 9 }";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ready_then_terminating_then_gone()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var manifests = Shop(Cookie);
        manifests.Write("a.yaml", Slice("a", servers[0], "ready: true"));
        manifests.Write("b.yaml", Slice("b", servers[1], "ready: true"));
        await using var process = await StickyProcess.ServeAsync(manifests);
        var cookie = await CookieOfAsync(process, "a");

        manifests.Replace("a.yaml", Slice("a", servers[0], "ready: false, serving: true, terminating: true"));
        await BecomesAsync(process, "a", "draining");
        Assert.Equal("a", await AskAsync(process, cookie));
        for (var i = 0; i < 4; i++) Assert.Equal("b", await AskAsync(process, null));

        manifests.Delete("a.yaml");
        await BecomesAsync(process, "a", null);
        Assert.Equal("b", await AskAsync(process, cookie));
        Assert.Equal(1, await process.MetricAsync("stickyingress_affinity_breaks_total{namespace=\"default\",upstream=\"shop\",reason=\"peer_gone\"}"));

        manifests.Replace("b.yaml", Slice("b", servers[1], "ready: false, serving: true, terminating: true"));
        await BecomesAsync(process, "b", "available"); // all that is left: an answer beats a 503
        Assert.Equal("b", await AskAsync(process, null));
    }

    [Theory]
    [InlineData(Cookie, "PodUID", "a", false)] // a StatefulSet's pod of the same name, elsewhere
    [InlineData(Cookie, "PodName", "a", true)]
    [InlineData(Cookie, "Address", "a", false)]
    [InlineData(Cookie, "PodUID", "c", false)] // another pod with the old one's address
    [InlineData(Cookie, "PodName", "c", false)]
    [InlineData(Cookie, "Address", "c", true)]
    [InlineData(Learn, "PodUID", "a", false)]
    [InlineData(Learn, "PodName", "a", true)]
    [InlineData(Learn, "Address", "a", false)]
    [InlineData(Learn, "PodUID", "c", false)]
    [InlineData(Learn, "PodName", "c", false)]
    [InlineData(Learn, "Address", "c", true)]
    public async Task Sessions_follow_the_identity_of_a_pod(string sticky, string identity, string successor, bool follows)
    {
        await using var servers = await Backends.StartAsync("here", "elsewhere");
        using var manifests = Shop($"{sticky}, identity: {identity}");
        manifests.Write("a.yaml", Slice("a", servers[0], "ready: true"));
        await using var process = await StickyProcess.ServeAsync(manifests);
        var cookie = await CookieOfAsync(process, "here", "/shop?s=1");

        var place = servers[successor == "a" ? 1 : 0];
        manifests.Replace("a.yaml", Slice(successor, place, "ready: true", uid: "uid-new"));
        await Eventually.HoldsAsync(
            async () => (await process.Admin.GetStringAsync("/api/v1/upstreams/default/shop", Stop)).Contains(successor == "a" ? place.Address : "\"c\"", StringComparison.Ordinal),
            "the new pod is a peer", Stop);
        await AskAsync(process, cookie, "/shop?s=1");

        Assert.Equal(follows ? null : 1, await process.MetricAsync("stickyingress_affinity_breaks_total{namespace=\"default\",upstream=\"shop\",reason=\"peer_gone\"}"));
    }

    private static Manifests Shop(string sticky) => With("""
        apiVersion: v1
        kind: Service
        metadata: { name: web }
        spec: { ports: [{ name: http, port: 80 }] }
        """, $$"""
        apiVersion: stickyingress.io/v1alpha1
        kind: StickyUpstream
        metadata: { name: shop }
        spec:
          routes: [{ paths: [{ path: /shop }] }]
          servers: [{ name: web, service: { name: web, port: http } }]
          sticky: { {{sticky}} }
        """);

    private static string Slice(string name, TestBackend backend, string conditions, string? uid = null) => $$"""
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: { name: web-{{name}}, labels: { kubernetes.io/service-name: web } }
        addressType: IPv4
        ports: [{ name: http, port: {{backend.EndPoint.Port}} }]
        endpoints:
        - addresses: [127.0.0.1]
          conditions: { {{conditions}} }
          targetRef: { kind: Pod, name: {{name}}, uid: {{uid ?? "uid-" + name}} }
        """;

    /// <summary>The cookie of a client of that server; "" where there is none.</summary>
    private static async Task<string> CookieOfAsync(StickyProcess process, string name, string target = "/shop")
    {
        string? cookie = null;
        await Eventually.HoldsAsync(
            async () =>
            {
                using var response = await process.Client.GetAsync(target, Stop);
                cookie = response.Headers.TryGetValues("Set-Cookie", out var set) ? set.Single().Split(';')[0] : "";
                return await response.Content.ReadAsStringAsync(Stop) == name;
            },
            $"{name} answers", Stop);
        return cookie!;
    }

    private static async Task<string> AskAsync(StickyProcess process, string? cookie, string target = "/shop")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, target);
        if (cookie is { Length: > 0 }) request.Headers.Add("Cookie", cookie);
        using var response = await process.Client.SendAsync(request, Stop);
        return await response.Content.ReadAsStringAsync(Stop);
    }

    private static Task BecomesAsync(StickyProcess process, string peer, string? state) => Eventually.HoldsAsync(
        async () => (await process.ApiAsync("upstreams/default/shop")).GetProperty("peers").EnumerateArray()
            .Where(one => one.GetProperty("name").GetString() == peer).Select(one => one.GetProperty("state").GetString()).SingleOrDefault() == state,
        $"peer {peer} is {state ?? "gone"}", Stop);
}
