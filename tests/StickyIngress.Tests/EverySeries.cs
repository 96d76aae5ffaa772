using System.Net;
using StickyIngress.Testing;
using StickyIngress.Testing.Dns;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>A process whose page of metrics has every series: requests that succeed, fail, are tried again, stick, and come unstuck.</summary>
internal sealed class EverySeries : IAsyncDisposable
{
    private readonly Sync.TemporaryFile _keys = new("the key that all replicas have\n");
    private Backends _servers = null!;
    private DnsServer _names = null!;
    private RedisServer _store = null!;
    private Manifests _manifests = null!;
    private int _sessions;

    public StickyProcess Process { get; private set; } = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<EverySeries> StartAsync()
    {
        var site = new EverySeries { _servers = await Backends.StartAsync("a", "b"), _names = DnsServer.Start(), _store = await RedisServer.StartAsync() };
        site._manifests = Manifests(site._servers, site._names.EndPoint);
        site.Process = await StickyProcess.ServeAsync(
            site._manifests, "--https", $"127.0.0.1:{FreePort.Next()}", "--affinity-keys", site._keys.Path, "--sync-store", "redis://" + site._store.Address);
        return site;
    }

    public async Task AskAsync()
    {
        foreach (var target in new[] { "/cookie", $"/learn?s={++_sessions}", "/retry", "/queued" })
        {
            using var answer = await Process.Client.GetAsync(target, Stop);
        }

        using var lost = new HttpRequestMessage(HttpMethod.Get, "/cookie") { Headers = { { "Cookie", "c=forged" } } };
        using var response = await Process.Client.SendAsync(lost, Stop);
    }

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        await _servers.DisposeAsync();
        await _names.DisposeAsync();
        await _store.DisposeAsync();
        _keys.Dispose();
        _manifests.Dispose();
    }

    private static Manifests Manifests(Backends servers, IPEndPoint names) => With(
        Upstream("cookie", servers.Addresses, "sticky: { cookie: { name: c } }"),
        Upstream("learn", servers.Addresses, "sticky: { learn: { create: [$arg_s], lookup: [$arg_s], timeout: 2s, zone: { name: z, size: 64k }, sync: true } }"),
        Upstream("retry", [$"127.0.0.1:{FreePort.Next()}, failTimeout: 1s", servers[0].Address]),
        FullQueue,
        $$"""
        apiVersion: stickyingress.io/v1alpha1
        kind: StickyUpstream
        metadata: { name: checked }
        spec:
          servers: [{ name: s, address: peer.test:80, resolve: true }, { name: t, address: "{{servers[0].Address}}" }]
          resolver: { addresses: ["{{names}}"], ipv6: false, statusZone: dns }
          healthCheck: { interval: 50ms }
        """,
        Certificates.Secret("pair", "shop.test", TimeSpan.FromDays(1)),
        $"{Upstream("tls", servers.Addresses)}\n  tls: [{{ hosts: [shop.test], secretName: pair }}]\n");
}
