using System.Globalization;
using StickyIngress.Testing;
using StickyIngress.Testing.ApiServers;

namespace StickyIngress.Benchmarks.Scale;

/// <summary>An API server under the benchmark, and what it counts of us.</summary>
/// <param name="Writers">How many writes at a time fill it fastest.</param>
internal sealed record ScaleServer(string Name, ITestApiServer Api, int Writers, Func<Task<long>> StatusWritesAsync)
{
    public static async Task<ScaleServer> FakeAsync()
    {
        var fake = await FakeApiServer.StartAsync();
        return new("fake API server", fake, 1, () => Task.FromResult(fake.Requests.LongCount(request => request.Subresource == "status")));
    }

    public static async Task<ScaleServer> RealAsync(string assets, string repository)
    {
        var real = await RealApiServer.StartAsync(assets, [Path.Combine(repository, "crds"), Path.Combine(repository, "manifests", "rbac.yaml")]);
        return new("kube-apiserver and etcd", real, 8, () => StatusWritesOfAsync(real));
    }

    /// <summary>The server's own count.</summary>
    private static async Task<long> StatusWritesOfAsync(RealApiServer real)
    {
        var page = await real.Admin.MustAsync("", "get", "--raw", "/metrics");
        return (long)page.Split('\n')
            .Where(line => line.StartsWith("apiserver_request_total{", StringComparison.Ordinal)
                && line.Contains("resource=\"stickyupstreams\"", StringComparison.Ordinal) && line.Contains("subresource=\"status\"", StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }
}
