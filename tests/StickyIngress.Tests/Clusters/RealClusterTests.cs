using System.Net;
using StickyIngress.Tests.Chart;

namespace StickyIngress.Tests.Clusters;

/// <summary>The suite on a real API server, with the rights of our role alone, and what users do there with kubectl.</summary>
[Collection(nameof(RealServer))]
public sealed class RealClusterTests(RealServer real) : ClusterSuite
{
    [Fact]
    public async Task Roles_of_one_namespace_suffice_for_it()
    {
        await using var cluster = await StartAsync();
        await using var servers = await cluster.BackendsAsync("a");
        await cluster.PutServiceAsync("shop", servers[0].EndPoint.Port);
        await cluster.Server.PutAsync(TestCluster.Upstream("shop", "web"));
        await real.Server.Admin.MustAsync(await ChartRoles.OfNamespaceAsync("web", "scoped"), "apply", "-f", "-");
        cluster.UseKubeconfig(await real.Server.KubeconfigOfAsync("scoped"));

        await using var process = await cluster.ServeAsync("--namespace", "web");

        await AnswersAsync(process, 200, "a");
        await cluster.HasConditionAsync("Ready", "True");
        var forbidden = (await process.ApiAsync("diagnostics")).EnumerateArray().Select(found => found.GetProperty("message").GetString()!);
        Assert.Contains("ingressclasses", Assert.Single(forbidden), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kubectl_applies_edits_shows_and_deletes()
    {
        await using var cluster = await StartAsync();
        await using var servers = await cluster.BackendsAsync("a");
        await cluster.PutServiceAsync("shop", servers[0].EndPoint.Port);
        await using var process = await cluster.ServeAsync();
        var (kubectl, manifest) = (real.Server.Admin, TestCluster.Upstream("shop", "nothing").ToJsonString());

        await kubectl.MustAsync(manifest, "apply", "--server-side", "-f", "-");
        await cluster.HasConditionAsync("ResolvedRefs", "False", "ServiceNotFound");
        await kubectl.EditAsync("s/name: nothing/name: web/", "stup/shop", "--namespace", "web");
        await cluster.HasConditionAsync("Ready", "True");
        await AnswersAsync(process, 200, "a");

        var shown = (await kubectl.MustAsync("", "get", "stickyingress", "--namespace", "web")).Split('\n');
        Assert.Equal(["NAME", "METHOD", "STICKY", "PEERS", "READY", "AGE"], shown[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(["shop", "RoundRobin", "None", "1", "True"], shown[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[..5]);
        Assert.Contains("shop", await kubectl.MustAsync("", "events", "--namespace", "web"), StringComparison.Ordinal);

        // Whoever applies the manifest again overwrites no status, and the leader has nothing to write.
        await kubectl.MustAsync(manifest.Replace("nothing", "web"), "apply", "--server-side", "--force-conflicts", "-f", "-");
        await cluster.HasConditionAsync("Ready", "True");
        await kubectl.MustAsync("", "delete", "stup", "shop", "--namespace", "web");
        await AnswersAsync(process, 404, null);
    }

    protected override async Task<TestCluster> StartAsync()
    {
        var server = real.Server;
        await server.UpAsync();
        await server.Admin.ClearAsync("web");
        return TestCluster.On(server, IPAddress.Parse("198.18.0.1")); // kube-apiserver takes no loopback address; tests/loopback.sh has this one
    }

    /// <summary>A server that is away takes no writes, so the change is made by somebody who is faster than we are at finding it back.</summary>
    protected override async Task ChangeWhileAwayAsync(TestCluster cluster, int port)
    {
        await cluster.Server.UpAsync();
        await cluster.PutSliceAsync("shop", port);
    }
}
