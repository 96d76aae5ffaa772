using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using StickyIngress.Testing;
using StickyIngress.Tests.Clusters;

namespace StickyIngress.Tests.Monitoring;

/// <summary>The Grafana dashboard of the chart, against a real Prometheus.</summary>
public sealed partial class DashboardTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_query_returns_data_from_a_Prometheus_that_scraped_us()
    {
        await using var site = await EverySeries.StartAsync();
        await using var cluster = await TestCluster.StartAsync();
        await cluster.Server.PutAsync(TestCluster.Upstream("shop", "web"));
        await using var watching = await cluster.ServeAsync();
        await using var prometheus = await PrometheusProcess.ScrapeAsync(site.Process, watching);

        await cluster.Server.DownAsync();
        await cluster.Server.UpAsync();
        foreach (var query in Queries())
        {
            await Eventually.HoldsAsync(
                async () =>
                {
                    await site.AskAsync();
                    await cluster.PutServiceAsync("web", FreePort.Next());
                    return await prometheus.HasDataAsync(query);
                },
                $"{query} returns data", Stop);
        }
    }

    [Fact]
    public void Every_metric_of_a_query_is_documented()
    {
        var documented = File.ReadLines(Repository.PathOf("docs/metrics.md")).Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => "stickyingress_" + line.Split('`')[1]).ToHashSet();

        var named = Queries().SelectMany(query => Metric().Matches(query)).Select(match => BucketSuffix().Replace(match.Value, "")).ToHashSet();

        Assert.Subset(documented, named);
    }

    /// <summary>As Grafana sends them with everything selected.</summary>
    private static IEnumerable<string> Queries() =>
        from panel in JsonNode.Parse(File.ReadAllText(Repository.PathOf("charts/sticky-ingress/files/dashboard.json")))!["panels"]!.AsArray()
        from target in panel!["targets"]?.AsArray() ?? []
        select Variable().Replace(((string)target!["expr"]!).Replace("$__rate_interval", "20s"), ".*");

    [GeneratedRegex(@"\$(?:namespace|upstream|job)", RegexOptions.NonBacktracking)]
    private static partial Regex Variable();

    [GeneratedRegex("stickyingress_[a-z_]+", RegexOptions.NonBacktracking)]
    private static partial Regex Metric();

    [GeneratedRegex("_(?:bucket|count)$", RegexOptions.NonBacktracking)]
    private static partial Regex BucketSuffix();
}
