using System.Text.Json.Nodes;
using StickyIngress.Testing.ApiServers;

namespace StickyIngress.Tests.Chart;

/// <summary>The charts in a real API server: what it accepts, and what an upgrade and a rollback leave as it was.</summary>
public sealed class ChartInstallTests : IAsyncLifetime
{
    private RealApiServer? _server;
    private string? _missing;

    private AdminClient Admin => _server!.Admin;

    public async ValueTask InitializeAsync()
    {
        if (!RealApiServer.TryFind(out var assets, out _missing)) return;

        // The server is told of some account; what ours may do, the chart brings.
        const string account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: somebody, namespace: sticky-ingress }\n";
        using var manifests = Manifests.With(account);
        _server = await RealApiServer.StartAsync(assets, [Repository.PathOf("crds"), manifests.Folder], account: "somebody");
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
    }

    [Fact]
    public async Task Every_case_is_accepted_and_restricted()
    {
        NeedServer();
        await Admin.MustAsync("", "label", "namespace", RealApiServer.ControllerNamespace, "pod-security.kubernetes.io/warn=restricted", "pod-security.kubernetes.io/enforce=restricted");
        await Admin.MustAsync("", "create", "namespace", "shop");

        // The server has one family of addresses.
        foreach (var name in ChartTests.CaseNames)
        {
            var rendered = await Rendered.CaseAsync(name, "--set", "service.ipFamilyPolicy=PreferDualStack,service.ipFamilies=null");
            var known = rendered.Objects.Where(one => !((string)one["apiVersion"]!).StartsWith("monitoring.coreos.com/", StringComparison.Ordinal));
            var list = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "List", ["items"] = new JsonArray([.. known.Select(one => one.DeepClone())]) };

            var (code, said) = await Admin.KubectlAsync(list.ToJsonString(), "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-");

            Assert.True(code == 0, $"{name}: {said}");
            Assert.DoesNotContain("would violate", said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_upgrade_and_a_rollback_keep_the_key_of_the_cookies()
    {
        NeedServer();
        await HelmAsync("install", "sticky-ingress-crds", Helm.CrdChart, "--take-ownership");
        await HelmAsync("install", "sticky-ingress", Helm.Chart);
        var key = await KeyAsync();

        await HelmAsync("upgrade", "sticky-ingress", Helm.Chart, "--set", "replicas=3");
        Assert.Equal((3, key), (await ReplicasAsync(), await KeyAsync()));

        await HelmAsync("rollback", "sticky-ingress", "1");
        Assert.Equal((2, key), (await ReplicasAsync(), await KeyAsync()));

        await HelmAsync("uninstall", "sticky-ingress");
        await HelmAsync("install", "sticky-ingress", Helm.Chart, "--take-ownership");
        Assert.Equal(key, await KeyAsync());
    }

    private void NeedServer()
    {
        if (_server is null) Assert.Skip(_missing!);
    }

    private async Task HelmAsync(params string[] arguments)
    {
        var ended = await Helm.RunAsync([.. arguments, "--namespace", RealApiServer.ControllerNamespace, "--kubeconfig", _server!.AdminKubeconfig]);

        Assert.True(ended.Code == 0, $"helm {string.Join(' ', arguments)}: {ended.Error}");
    }

    private Task<string> KeyAsync() => Admin.MustAsync(
        "", "get", "secret", "sticky-ingress-keys", "--namespace", RealApiServer.ControllerNamespace, "-o", "jsonpath={.data.keys}");

    private async Task<int> ReplicasAsync() => int.Parse(await Admin.MustAsync(
        "", "get", "deployment", "sticky-ingress", "--namespace", RealApiServer.ControllerNamespace, "-o", "jsonpath={.spec.replicas}"));
}
