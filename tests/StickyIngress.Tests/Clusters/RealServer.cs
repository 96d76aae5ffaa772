using StickyIngress.Testing.ApiServers;
using StickyIngress.Tests.Chart;

namespace StickyIngress.Tests.Clusters;

/// <summary>One kube-apiserver for all tests that want one, with our CRD and a controller that has the chart's role and nothing more; where there is none those tests are skipped.</summary>
public sealed class RealServer : IAsyncLifetime
{
    private RealApiServer? _server;
    private string _reason = "";

    /// <summary>Skips the test that asks where there is none.</summary>
    public RealApiServer Server
    {
        get
        {
            if (_server is null) Assert.Skip(_reason);
            return _server;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (!RealApiServer.TryFind(out var assets, out var reason))
        {
            _reason = reason;
            return;
        }

        var roles = Path.GetTempFileName();
        await File.WriteAllTextAsync(roles, await ChartRoles.OfClusterAsync());
        _server = await RealApiServer.StartAsync(assets, [Repository.PathOf("crds"), roles]);
        File.Delete(roles);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
    }
}

/// <summary>Its tests run one after the other, since they share the server.</summary>
[CollectionDefinition(nameof(RealServer))]
public sealed class RealServerTests : ICollectionFixture<RealServer>;
