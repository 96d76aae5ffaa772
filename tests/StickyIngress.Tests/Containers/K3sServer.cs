using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using StickyIngress.Testing;
using StickyIngress.Testing.ApiServers;
using StickyIngress.Tests.Chart;
using Testcontainers.K3s;

namespace StickyIngress.Tests.Containers;

/// <summary>
/// The API server of K3s in a container, for who has a Docker engine with its image and no KUBEBUILDER_ASSETS. The image is not pulled: that would
/// make a test run download hundreds of megabytes without having been asked.
/// </summary>
public sealed class K3sServer : ITestApiServer, IAsyncLifetime
{
    public const string Image = "rancher/k3s:v1.36.2-k3s1";

    private readonly string _folder = Directory.CreateTempSubdirectory("sticky-k3s-").FullName;
    private K3sContainer? _container;
    private AdminClient? _admin;
    private string? _missing;

    public string Kubeconfig { get; private set; } = "";

    /// <summary>Skips the test that asks where there is no such server.</summary>
    public AdminClient Admin
    {
        get
        {
            if (_admin is null) Assert.Skip(_missing!);
            return _admin;
        }
    }

    /// <summary>An address of this machine that a server in a container takes as an endpoint.</summary>
    public static IPAddress Address => NetworkInterface.GetAllNetworkInterfaces().SelectMany(one => one.GetIPProperties().UnicastAddresses)
        .Select(one => one.Address).First(one => one.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(one));

    /// <param name="assets">What KUBEBUILDER_ASSETS says.</param>
    /// <param name="engine">Why there is no Docker engine; null: there is one.</param>
    /// <param name="image">Whether it has the image.</param>
    /// <returns>Why K3s is not used; null: it is.</returns>
    public static string? WhyNot(string? assets, string? engine, bool image)
    {
        if (!string.IsNullOrEmpty(assets)) return "KUBEBUILDER_ASSETS is set: the suite runs on its kube-apiserver";
        if (engine is not null) return engine;
        return image ? null : $"KUBEBUILDER_ASSETS is not set, and the Docker engine has no image {Image} (docker pull {Image})";
    }

    public async ValueTask InitializeAsync()
    {
        var engine = await DockerEngine.WhyNotAsync();
        _missing = WhyNot(Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS"), engine, engine is null && await DockerEngine.HasImageAsync(Image));
        if (_missing is not null) return;

        // A port of our own choice stays the same when the container is started again.
        var port = FreePort.Next();
        _container = new K3sBuilder(Image).WithPortBinding(port, 6443)
            .WithCommand("server", "--disable=traefik,servicelb,metrics-server", "--tls-san=127.0.0.1").Build();
        await _container.StartAsync();
        var address = new Uri($"https://127.0.0.1:{port}");
        var config = Rendered.Parse(await _container.GetKubeconfigAsync()).Objects.Single();
        var (cluster, user) = (config["clusters"]![0]!["cluster"]!, config["users"]![0]!["user"]!);
        var keys = ApiServerKeys.Write(_folder, Pem(cluster, "certificate-authority-data"), Pem(user, "client-certificate-data"), Pem(user, "client-key-data"));
        _admin = new(address, keys, "docker", "exec", "--interactive", _container.Id, "kubectl");
        var crds = Directory.EnumerateFiles(Repository.PathOf("crds")).Select(File.ReadAllText);
        await _admin.PrepareAsync([RealApiServer.ControllerNamespace, "web"], [.. crds, await ChartRoles.OfClusterAsync()]);
        var token = await _admin.TokenAsync("sticky-ingress", RealApiServer.ControllerNamespace);
        Kubeconfig = Kubeconfigs.Text(address, keys.Authority, $"token: \"{token}\"");
    }

    public Task PutAsync(JsonObject given) => Admin.PutAsync(given);

    public Task ReplaceAsync(JsonObject given) => Admin.ReplaceAsync(given);

    public Task DeleteAsync(string kind, string space, string name) => Admin.DeleteAsync(kind, space, name);

    public Task<JsonObject?> FindAsync(string kind, string space, string name) => Admin.FindAsync(kind, space, name);

    public Task<IReadOnlyList<JsonObject>> ListAsync(string kind, string space) => Admin.ListAsync(kind, space);

    public Task DownAsync() => DockerEngine.RunAsync("stop", "--time", "1", _container!.Id);

    public async Task UpAsync()
    {
        await DockerEngine.RunAsync("start", _container!.Id);
        await Eventually.HoldsAsync(() => Admin.IsReadyAsync(TestContext.Current.CancellationToken), "K3s answers", TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _admin?.Dispose();
        if (_container is not null) await _container.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Pem(JsonNode from, string field) => Encoding.ASCII.GetString(Convert.FromBase64String((string)from[field]!));
}
