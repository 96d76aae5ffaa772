using System.Text;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Configurations;
using DotNet.Testcontainers.Containers;
using DotNet.Testcontainers.Networks;
using StickyIngress.Testing;

namespace StickyIngress.Tests.Containers;

/// <summary>
/// The image in a container as the chart runs it (nobody, read-only, no capability), with the demo's manifests mounted, on a bridge network
/// with three nginx containers a, b and c that say their names and give sessions as the demo's backends do.
/// </summary>
internal sealed class ContainerSite : IAsyncDisposable
{
    private const string Image = "sticky-ingress-under-test";
    private static readonly Lazy<Task> Built = new(BuildAsync);

    private readonly INetwork _network = new NetworkBuilder().Build();
    private readonly Dictionary<string, IContainer> _backends = [];
    private readonly Manifests _manifests = Manifests.With();
    private IContainer _proxy = null!;

    public HttpClient Client { get; private set; } = null!;

    public HttpClient Admin { get; private set; } = null!;

    public IContainer Proxy => _proxy;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<ContainerSite> StartAsync(params string[] more)
    {
        await DockerEngine.NeedAsync();
        await Built.Value;
        var site = new ContainerSite();
        await site._network.CreateAsync(Stop);
        foreach (var name in new[] { "a", "b", "c" }) await site.StartBackendAsync(name);
        site.WriteManifests();
        await site.StartProxyAsync(more);
        return site;
    }

    public IContainer Backend(string name) => _backends[name];

    /// <summary>A client with a jar for cookies; its own connections.</summary>
    public HttpClient NewBrowser() => new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = Client.BaseAddress };

    public async Task<bool> IsReadyAsync()
    {
        try
        {
            using var response = await Admin.GetAsync("/readyz", Stop);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // not listening yet
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        Admin?.Dispose();
        if (_proxy is not null) await _proxy.DisposeAsync();
        foreach (var backend in _backends.Values) await backend.DisposeAsync();
        await _network.DisposeAsync();
        _manifests.Dispose();
    }

    /// <summary>As make image does; on the base of tests/images.sh where the engine has it, since it may be able to pull none.</summary>
    private static async Task BuildAsync()
    {
        string[] onBase = await DockerEngine.HasImageAsync("sticky-ingress-base") ? ["--build-arg", "BASE=sticky-ingress-base"] : [];
        await DockerEngine.RunAsync(["build", "--quiet", "--target", "published", .. onBase, "--tag", Image, Repository.PathOf(".")]);
    }

    private async Task StartBackendAsync(string name)
    {
        var image = await DockerEngine.HasImageAsync("sticky-ingress-nginx") ? "sticky-ingress-nginx" : "nginx:1.28";
        var backend = new ContainerBuilder(image)
            .WithNetwork(_network).WithNetworkAliases(name)
            .WithResourceMapping(Encoding.UTF8.GetBytes(NginxConfiguration(name)), "/backend.conf")
            .WithEntrypoint("/usr/sbin/nginx").WithCommand("-c", "/backend.conf")
            .Build();
        _backends[name] = backend;
        await backend.StartAsync(Stop);
    }

    private static string NginxConfiguration(string name) => $$"""
        daemon off;
        user root;
        pid /tmp/nginx.pid;
        error_log stderr;
        events {}
        http {
          access_log off;
          map $cookie_jsessionid $session { "" "JSESSIONID=$request_id.{{name}}; Path=/"; }
          server {
            listen 80;
            location / { return 200 "backend {{name}}\n"; }
            location ~ ^/(learn|route) { add_header Set-Cookie $session; return 200 "backend {{name}}\n"; }
          }
        }
        """;

    /// <summary>The demo's own, with the containers' names where it names ports of this machine.</summary>
    private void WriteManifests()
    {
        var demo = File.ReadAllText(Repository.PathOf("manifests/demo/demo.yaml"))
            .Replace("\"127.0.0.1:9101\"", "a, resolve: true").Replace("\"127.0.0.1:9102\"", "b, resolve: true").Replace("\"127.0.0.1:9103\"", "c, resolve: true");
        _manifests.Write("demo.yaml", demo);
        // The container's user is not ours.
        File.SetUnixFileMode(_manifests.Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
    }

    private async Task StartProxyAsync(string[] more)
    {
        _proxy = new ContainerBuilder(Image)
            .WithNetwork(_network)
            .WithBindMount(_manifests.Folder, "/manifests", AccessMode.ReadOnly)
            .WithPortBinding(8080, assignRandomHostPort: true)
            .WithPortBinding(9090, assignRandomHostPort: true)
            .WithCommand(["run", "--manifests", "/manifests", "--admin", "0.0.0.0:9090", .. more])
            .WithCreateParameterModifier(container =>
            {
                container.HostConfig!.ReadonlyRootfs = true;
                container.HostConfig.CapDrop = ["ALL"];
                container.HostConfig.SecurityOpt = ["no-new-privileges"];
            })
            .Build();
        await _proxy.StartAsync(Stop);
        Client = new(new SocketsHttpHandler { UseCookies = false, UseProxy = false }) { BaseAddress = new($"http://127.0.0.1:{_proxy.GetMappedPublicPort(8080)}") };
        Admin = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new($"http://127.0.0.1:{_proxy.GetMappedPublicPort(9090)}") };
        await Eventually.HoldsAsync(IsReadyAsync, "the container is ready", Stop);
    }
}
