using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>Which upstream a request reaches, by the bytes that are sent.</summary>
public sealed class RoutingTests : IClassFixture<RoutingTests.Routes>
{
    private readonly StickyProcess _process;

    public RoutingTests(Routes routes) => _process = routes.Process;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: shop.example.com", "200 exact /")]
    [InlineData("GET / HTTP/1.1\r\nHost: SHOP.Example.COM", "200 exact /")]
    [InlineData("GET / HTTP/1.1\r\nHost: shop.example.com:8080", "200 exact /")]
    [InlineData("GET / HTTP/1.1\r\nHost: shop.example.com.", "200 exact /")]
    [InlineData("GET / HTTP/1.1\r\nHost: other.example.com", "200 wildcard /")]
    [InlineData("GET / HTTP/1.1\r\nHost: example.com", "404")]
    [InlineData("GET / HTTP/1.1\r\nHost: nobody.test", "404")]
    [InlineData("GET / HTTP/1.1\r\nHost: [::1]", "200 address /")]
    [InlineData("GET / HTTP/1.1\r\nHost: [0:0::0:1]:8080", "200 address /")]
    [InlineData("GET http://shop.example.com/a%2Fb?c=%20 HTTP/1.1\r\nHost: shop.example.com", "200 exact /a%2Fb?c=%20")]
    [InlineData("GET http://other.example.com/ HTTP/1.1\r\nHost: shop.example.com", "200 wildcard /")]
    [InlineData("GET http://shop.example.com HTTP/1.1\r\nHost: nobody.test", "200 exact /")]
    [InlineData("GET /a/../b//c/./d HTTP/1.1\r\nHost: shop.example.com", "200 exact /a/../b//c/./d")]
    [InlineData("GET /exact HTTP/1.1\r\nHost: shop.example.com", "200 path /exact")]
    [InlineData("GET /exact/more HTTP/1.1\r\nHost: shop.example.com", "200 exact /exact/more")]
    [InlineData("GET /img/7.png HTTP/1.1\r\nHost: shop.example.com", "200 regex /img/7.png")]
    [InlineData("GET /img/x HTTP/1.1\r\nHost: shop.example.com", "200 prefix /img/x")]
    [InlineData("GET /imgs HTTP/1.1\r\nHost: shop.example.com", "200 exact /imgs")]
    [InlineData("GET /down HTTP/1.1\r\nHost: shop.example.com", "502")]
    [InlineData("GET /refused HTTP/1.1\r\nHost: shop.example.com", "502")]
    [InlineData("GET /nowhere HTTP/1.1\r\nHost: shop.example.com", "503")]
    [InlineData("GET /empty HTTP/1.1\r\nHost: shop.example.com", "503")]
    [InlineData("GET / HTTP/1.1", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nHost: b", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: bad/host", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: [::g]", "400")]
    public async Task A_request_reaches(string request, string expected)
    {
        var answer = await TestClient.ExchangeAsync(_process.Http, request + "\r\nConnection: close\r\n\r\n", Stop);

        var status = answer.Split(' ')[1];
        var said = status == "200" ? $"200 {Header(answer, "X-Saw")}" : status;
        Assert.Equal(expected, said);
    }

    private static string Header(string answer, string name) =>
        answer.Split("\r\n").Single(line => line.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))[(name.Length + 2)..];

    /// <summary>One process with a route of each kind.</summary>
    public sealed class Routes : IAsyncLifetime
    {
        private readonly List<TestBackend> _backends = [];
        private Manifests _manifests = null!;

        public StickyProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            _manifests = With(
                await RouteAsync("exact", "hosts: [shop.example.com]"),
                await RouteAsync("wildcard", "hosts: [\"*.example.com\"]"),
                await RouteAsync("address", "hosts: [\"[::1]\"]"),
                await RouteAsync("path", "hosts: [shop.example.com], paths: [{ path: /exact, pathType: Exact }]"),
                await RouteAsync("regex", "hosts: [shop.example.com], paths: [{ path: '^/img/\\d+\\.png$', pathType: Regex }]"),
                await RouteAsync("prefix", "hosts: [shop.example.com], paths: [{ path: /img }]"),
                Document("down", "hosts: [shop.example.com], paths: [{ path: /down }]", "{ name: a, address: \"127.0.0.1:1\", down: true }"),
                Document("refused", "hosts: [shop.example.com], paths: [{ path: /refused }]", $"{{ name: a, address: \"127.0.0.1:{FreePort.Next()}\" }}"),
                Document("nowhere", "hosts: [shop.example.com], paths: [{ path: /nowhere }]", "{ name: a, service: { name: nowhere } }"),
                Document("empty", "hosts: [shop.example.com], paths: [{ path: /empty }]", "{ name: a, service: { name: empty } }"),
                "apiVersion: v1\nkind: Service\nmetadata: { name: empty }\nspec: { ports: [{ port: 80 }] }\n");
            Process = await StickyProcess.ServeAsync(_manifests);
        }

        public async ValueTask DisposeAsync()
        {
            await Process.DisposeAsync();
            foreach (var backend in _backends) await backend.DisposeAsync();
            _manifests.Dispose();
        }

        private static string Document(string name, string route, string server) => $$"""
            apiVersion: stickyingress.io/v1alpha1
            kind: StickyUpstream
            metadata: { name: {{name}} }
            spec:
              routes: [{ {{route}} }]
              servers: [{{server}}]
            """;

        private async Task<string> RouteAsync(string name, string route)
        {
            var backend = await TestBackend.StartAsync(name, context =>
            {
                var target = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget;
                context.Response.Headers["X-Saw"] = $"{name} {target}";
                return Task.CompletedTask;
            });
            _backends.Add(backend);
            return Document(name, route, $"{{ name: a, address: \"{backend.Address}\" }}");
        }
    }
}
