using System.Text.Json.Nodes;
using StickyIngress.Testing;

namespace StickyIngress.Tests;

/// <summary>A fake API server with a kubeconfig, and the objects that a test puts there; all in namespace <c>web</c>.</summary>
public sealed class TestCluster : IAsyncDisposable
{
    private TestCluster(FakeApiServer fake) => Fake = fake;

    public FakeApiServer Fake { get; }

    public string Folder { get; } = Directory.CreateTempSubdirectory("sticky-cluster-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<TestCluster> StartAsync()
    {
        var cluster = new TestCluster(await FakeApiServer.StartAsync());
        await File.WriteAllTextAsync(Path.Combine(cluster.Folder, "kubeconfig"), cluster.Fake.Kubeconfig, Stop);
        return cluster;
    }

    /// <summary>An upstream with a route of its name to that Service.</summary>
    public static JsonObject Upstream(string name, string service)
    {
        var upstream = FakeObjects.StickyUpstream("web", name, service);
        upstream["spec"]!["routes"] = JsonNode.Parse($$"""[{"paths":[{"path":"/{{name}}"}]}]""");
        return upstream;
    }

    public Task<StickyProcess> ServeAsync(params string[] more) => StickyProcess.ServeAsync(
        FreePort.Next(), FreePort.Next(), ["run", "--kubernetes", "--kubeconfig", Path.Combine(Folder, "kubeconfig"), .. more]);

    /// <summary>The Service <c>web</c> with one endpoint on this machine.</summary>
    public void PutService(string slice, int port)
    {
        Fake.Store.Put(FakeObjects.Service("web", "web", ("http", 80)));
        PutSlice(slice, port);
    }

    public void PutSlice(string name, int port)
    {
        var slice = FakeObjects.EndpointSlice("web", name, "web", "127.0.0.1");
        slice["ports"]![0]!["port"] = port;
        Fake.Store.Put(slice);
    }

    /// <summary>Waits until the status of the upstream <c>shop</c> says so about its present generation.</summary>
    public Task HasConditionAsync(string type, string status) => Eventually.HoldsAsync(
        () =>
        {
            var found = Fake.Store.Find("StickyUpstream", "web", "shop");
            var condition = found?["status"]?["conditions"]?.AsArray().FirstOrDefault(it => (string?)it!["type"] == type);
            return (string?)condition?["status"] == status && (long?)condition["observedGeneration"] == (long?)found!["metadata"]!["generation"];
        },
        $"{type} is {status}", Stop);

    public async ValueTask DisposeAsync()
    {
        await Fake.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
