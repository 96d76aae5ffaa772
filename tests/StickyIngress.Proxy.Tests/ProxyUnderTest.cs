using System.Collections.Frozen;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Prometheus;
using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Balancing;
using StickyIngress.Core.Routing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;
using StickyIngress.Proxy.Clients;
using StickyIngress.Proxy.Health;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Tests;

/// <summary>The proxy on a real port, with one upstream "u" whose peers and settings the test gives.</summary>
public sealed class ProxyUnderTest : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly CollectorRegistry _registry;

    private ProxyUnderTest(WebApplication app, CollectorRegistry registry, Upstream upstream, LogOfRequests log)
    {
        (_app, _registry, Upstream, Log) = (app, registry, upstream, log);
        var url = new Uri(app.Urls.First());
        EndPoint = new(IPAddress.Loopback, url.Port);
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ResponseDrainTimeout = TimeSpan.Zero, SslOptions = { RemoteCertificateValidationCallback = static (_, _, _, _) => true } };
        Client = new(handler) { BaseAddress = new($"{url.Scheme}://{EndPoint}") };
    }

    public IPEndPoint EndPoint { get; }

    public HttpClient Client { get; }

    public Upstream Upstream { get; }

    public LogOfRequests Log { get; }

    public Draining Draining => _app.Services.GetRequiredService<Draining>();

    public static ProxySettings Settings { get; } = new()
    {
        Host = TestTemplates.Parse("$host"),
        ConnectTimeout = TimeSpan.FromSeconds(5),
        SendTimeout = TimeSpan.FromSeconds(5),
        ReadTimeout = TimeSpan.FromSeconds(5),
        MaxBodySize = 1024 * 1024,
        RequestBuffer = 64 * 1024,
        NextUpstream = new(NextUpstreamOn.Error | NextUpstreamOn.Timeout, 0, TimeSpan.Zero),
        Keepalive = new(32, 1000, TimeSpan.FromHours(1), TimeSpan.FromSeconds(60)),
    };

    /// <summary>Starts it with a peer for each address, weight 1 and maxFails 1 unless <paramref name="configure"/> says otherwise.</summary>
    public static async Task<ProxyUnderTest> StartAsync(
        IReadOnlyList<EndPoint> peers,
        ProxySettings? settings = null,
        Func<UpstreamState, PeerGroup, IAffinity?>? affinity = null,
        TrustedProxies? trusted = null,
        Func<EndPoint, UpstreamState, int, Peer>? configure = null,
        TimeProvider? time = null,
        QueueSettings? queue = null,
        HealthCheckSettings? check = null,
        ServerCertificate? certificate = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureForProxy();
            if (certificate is null) kestrel.Listen(new LoopEndPoint(IPAddress.Loopback, 0), listen => listen.Protocols = HttpProtocols.Http1);
            else kestrel.Listen(new TlsEndPoint(IPAddress.Loopback, 0), listen => kestrel.ApplicationServices.GetRequiredService<ClientTls>().Use(listen));
        });
        var registry = Prometheus.Metrics.NewCustomRegistry();
        var log = new LogOfRequests();
        builder.Services
            .AddSingleton(time ?? TimeProvider.System)
            .AddSingleton<IMetricFactory>(Prometheus.Metrics.WithCustomRegistry(registry))
            .AddSingleton<IAccessLog>(log)
            .AddStickyProxy(trusted ?? TrustedProxies.None);
        var app = builder.Build();
        app.UseStickyProxy();

        var state = new UpstreamState(new("test", "u"));
        var made = peers.Select((endPoint, index) => (configure ?? MakePeer)(endPoint, state, index)).ToArray();
        var group = new PeerGroup([.. made], backup: false, single: made.Length == 1);
        var upstream = new Upstream
        {
            Name = state.Name,
            State = state,
            Primaries = group,
            Balancer = new RoundRobinBalancer(group, PeerGroup.Empty),
            Affinity = affinity?.Invoke(state, group),
            Queue = queue,
            HealthCheck = check,
        };
        PeerHealth.Admit(upstream);
        var routes = new RouteTableBuilder();
        routes.TryAdd(HostPattern.Any, PathPattern.Any, new(0, settings ?? Settings));
        app.Services.GetRequiredService<SnapshotHolder>().Publish(
            new(1, [upstream], new Dictionary<UpstreamName, int> { [state.Name] = 0 }.ToFrozenDictionary(), routes.Build())
            {
                Certificates = new([], [], certificate),
            });
        app.Services.GetRequiredService<HealthChecker>().Follow(upstream.Name, upstream);
        await app.StartAsync();
        return new(app, registry, upstream, log);
    }

    public static Peer MakePeer(EndPoint endPoint, UpstreamState state, int index)
    {
        var name = PeerNames.Format(endPoint);
        return new()
        {
            Index = index,
            Id = new(name),
            Name = name,
            Server = name,
            Sid = PeerNames.Sid(name),
            Label = name,
            EndPoint = endPoint,
            State = state.Peer(new($"s{index}", new(name), name)),
        };
    }

    /// <summary>For any name, signed by itself.</summary>
    public static ServerCertificate MakeCertificate()
    {
        using var key = ECDsa.Create();
        using var certificate = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return new("ns", "x", certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), new DateTimeOffset(certificate.NotAfter));
    }

    /// <summary>Every request that was counted in was counted out.</summary>
    public void AssertNothingHeld() => Assert.All(Upstream.Peers, peer => Assert.Equal(0, peer.State.Conns));

    /// <summary>The value of a series, as it stands in the page; 0 where it is not there.</summary>
    public async Task<double> MetricAsync(string line)
    {
        using var page = new MemoryStream();
        await _registry.CollectAndExportAsTextAsync(page);
        var lines = System.Text.Encoding.UTF8.GetString(page.ToArray()).Split('\n');
        return lines.Where(l => l.StartsWith(line, StringComparison.Ordinal)).Select(l => double.Parse(l[(l.LastIndexOf(' ') + 1)..])).FirstOrDefault();
    }

    /// <summary>As at the end of the process: what is under way is waited for.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}

/// <summary>Keeps what variables said when each request was logged.</summary>
public sealed class LogOfRequests : IAccessLog
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<string> _lines = new();

    /// <summary>What each line shows; variables as in a log format.</summary>
    public Template Format { get; set; } = TestTemplates.Parse("$status [$upstream_addr] [$upstream_status]");

    public IReadOnlyList<string> Lines => [.. _lines];

    public void Write(ProxyRequest request) => _lines.Enqueue(Format.Evaluate(request));
}

public static class TestTemplates
{
    public static Template Parse(string text) =>
        Template.TryParse(text, null, out var template, out var error) ? template : throw new ArgumentException(error);
}
