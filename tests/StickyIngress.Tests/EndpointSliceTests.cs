using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>A peer from an EndpointSlice lives as its conditions say.</summary>
public sealed class EndpointSliceTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ready_then_terminating_then_gone()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var manifests = With("""
            apiVersion: v1
            kind: Service
            metadata: { name: web }
            spec: { ports: [{ name: http, port: 80 }] }
            """, """
            apiVersion: stickyingress.io/v1alpha1
            kind: StickyUpstream
            metadata: { name: shop }
            spec:
              routes: [{ paths: [{ path: /shop }] }]
              servers: [{ name: web, service: { name: web, port: http } }]
              sticky: { cookie: { name: c } }
            """);
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

    private static string Slice(string name, TestBackend backend, string conditions) => $$"""
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: { name: web-{{name}}, labels: { kubernetes.io/service-name: web } }
        addressType: IPv4
        ports: [{ name: http, port: {{backend.EndPoint.Port}} }]
        endpoints:
        - addresses: [127.0.0.1]
          conditions: { {{conditions}} }
          targetRef: { kind: Pod, name: {{name}}, uid: uid-{{name}} }
        """;

    private static async Task<string> CookieOfAsync(StickyProcess process, string name)
    {
        string? cookie = null;
        await Eventually.HoldsAsync(
            async () =>
            {
                using var response = await process.Client.GetAsync("/shop", Stop);
                cookie = response.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
                return await response.Content.ReadAsStringAsync(Stop) == name;
            },
            $"{name} answers", Stop);
        return cookie!;
    }

    private static async Task<string> AskAsync(StickyProcess process, string? cookie)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/shop");
        if (cookie is not null) request.Headers.Add("Cookie", cookie);
        using var response = await process.Client.SendAsync(request, Stop);
        return await response.Content.ReadAsStringAsync(Stop);
    }

    private static Task BecomesAsync(StickyProcess process, string peer, string? state) => Eventually.HoldsAsync(
        async () => (await process.ApiAsync("upstreams/default/shop")).GetProperty("peers").EnumerateArray()
            .Where(one => one.GetProperty("name").GetString() == peer).Select(one => one.GetProperty("state").GetString()).SingleOrDefault() == state,
        $"peer {peer} is {state ?? "gone"}", Stop);
}
