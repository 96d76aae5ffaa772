using System.Net;
using System.Text.Json.Nodes;
using StickyIngress.Testing;
using StickyIngress.Testing.ApiServers;
using StickyIngress.Tests.Chart;

namespace StickyIngress.Tests.Clusters;

/// <summary>An API server with a kubeconfig, and the objects that a test puts there; all in namespace <c>web</c>.</summary>
public sealed class TestCluster : IAsyncDisposable
{
    private readonly bool _owns;

    private TestCluster(ITestApiServer server, bool owns, IPAddress address)
    {
        (Server, _owns, Address) = (server, owns, address);
        UseKubeconfig(server.Kubeconfig);
    }

    public ITestApiServer Server { get; }

    /// <summary>Of backends that are to be endpoints.</summary>
    public IPAddress Address { get; }

    public string Folder { get; } = Directory.CreateTempSubdirectory("sticky-cluster-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>On a fake API server of its own.</summary>
    public static async Task<TestCluster> StartAsync() => new(await FakeApiServer.StartAsync(), owns: true, IPAddress.Loopback);

    /// <param name="address">Of this machine, and one that the server takes as an endpoint.</param>
    public static TestCluster On(ITestApiServer server, IPAddress address) => new(server, owns: false, address);

    /// <summary>An upstream with a route of its name to that Service.</summary>
    public static JsonObject Upstream(string name, string service)
    {
        var upstream = FakeObjects.StickyUpstream("web", name, service);
        upstream["spec"]!["routes"] = JsonNode.Parse($$"""[{"paths":[{"path":"/{{name}}"}]}]""");
        return upstream;
    }

    /// <summary>Who the controller is from its next start on.</summary>
    public void UseKubeconfig(string text) => File.WriteAllText(Path.Combine(Folder, "kubeconfig"), text);

    public Task<StickyProcess> ServeAsync(params string[] more) => StickyProcess.ServeAsync(
        FreePort.Next(), FreePort.Next(), ["run", "--kubernetes", "--kubeconfig", Path.Combine(Folder, "kubeconfig"), .. more],
        ("POD_NAMESPACE", RealApiServer.ControllerNamespace));

    public Task<Backends> BackendsAsync(params string[] names) => Backends.StartAsync(names, static (_, _) => { }, Address);

    /// <summary>The Service <c>web</c> with one endpoint on this machine.</summary>
    public async Task PutServiceAsync(string slice, int port)
    {
        await Server.PutAsync(FakeObjects.Service("web", "web", ("http", 80)));
        await PutSliceAsync(slice, port);
    }

    public Task PutSliceAsync(string name, int port)
    {
        var slice = FakeObjects.EndpointSlice("web", name, "web", Address.ToString());
        slice["ports"]![0]!["port"] = port;
        return Server.PutAsync(slice);
    }

    /// <summary>A Secret with a new certificate for the host.</summary>
    public Task PutCertificateAsync(string secret, string host)
    {
        var given = Rendered.Parse(Certificates.Secret(secret, host, TimeSpan.FromDays(1))).Objects.Single();
        given["metadata"]!["namespace"] = "web";
        return Server.PutAsync(given);
    }

    /// <summary>Waits until the status of the upstream says so about its present generation.</summary>
    public Task HasConditionAsync(string type, string status, string? reason = null, string name = "shop") => Eventually.HoldsAsync(
        async () =>
        {
            var found = await Server.FindAsync("StickyUpstream", "web", name);
            var condition = found?["status"]?["conditions"]?.AsArray().FirstOrDefault(it => (string?)it!["type"] == type);
            return (string?)condition?["status"] == status && (reason is null || (string?)condition["reason"] == reason)
                && (long?)condition["observedGeneration"] == (long?)found!["metadata"]!["generation"];
        },
        $"{type} of {name} is {status} {reason}", Stop);

    public async ValueTask DisposeAsync()
    {
        if (_owns) await Server.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
