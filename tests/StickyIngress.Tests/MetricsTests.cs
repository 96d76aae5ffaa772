using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>/metrics of a process that has seen something of everything.</summary>
public sealed class MetricsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Docs_and_page_name_the_same_metrics()
    {
        var documented = (await File.ReadAllLinesAsync(Repository.PathOf("docs/metrics.md"), Stop))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Where(cells => !cells[4].StartsWith("In a cluster: ", StringComparison.Ordinal))
            .ToDictionary(cells => "stickyingress_" + cells[1].Trim('`'), cells => $"{cells[2]} {cells[3].Replace("`", "")}".Trim());

        var page = await ScrapeAsync();

        var types = page.Where(line => line.StartsWith("# TYPE stickyingress_", StringComparison.Ordinal))
            .Select(line => line.Split(' ')).ToDictionary(words => words[2], words => words[3]);
        var scraped = types.ToDictionary(type => type.Key, type => $"{type.Value} {LabelsOf(page, type.Key)}".Trim());
        Assert.Equal(documented.Order(Comparer), scraped.Order(Comparer));
    }

    [Fact]
    public async Task Promtool_finds_nothing_to_complain_about()
    {
        var page = string.Join('\n', await ScrapeAsync());
        using var promtool = Promtool();
        if (promtool is null) Assert.Skip("promtool is missing (Debian package prometheus)");

        await promtool.StandardInput.WriteAsync(page.AsMemory(), Stop);
        promtool.StandardInput.Close();
        var said = await promtool.StandardOutput.ReadToEndAsync(Stop) + await promtool.StandardError.ReadToEndAsync(Stop);
        await promtool.WaitForExitAsync(Stop);

        Assert.DoesNotContain("stickyingress_", said, StringComparison.Ordinal);
        Assert.DoesNotContain("error while linting", said, StringComparison.Ordinal);
    }

    /// <summary>Those of sharing and of the session file have tests of their own; what is going on is seen in <see cref="OngoingTests"/>.</summary>
    [Fact]
    public async Task Every_metric_moves()
    {
        await using var site = await EverySeries.StartAsync();
        await site.AskAsync();

        string[] still = [];
        await Eventually.HoldsAsync(
            async () =>
            {
                await site.AskAsync();
                still = Still(await site.Process.MetricsAsync());
                return still.Length == 0;
            },
            $"nothing stays at 0 ({string.Join(' ', still)})", Stop);
    }

    [Theory]
    [InlineData("the upstream")]
    [InlineData("the peer")]
    public async Task A_request_that_ends_after_its_peer_went_brings_no_series_back(string gone)
    {
        var (arrived, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var slow = await TestBackend.StartAsync("slow", async context =>
        {
            arrived.TrySetResult();
            await go.Task;
            await context.Response.WriteAsync("done", Stop);
        });
        await using var other = await TestBackend.StartAsync("other");
        using var manifests = With(Upstream("shop", [slow.Address]));
        await using var process = await StickyProcess.ServeAsync(manifests);
        var asked = process.GetAsync("/shop");
        await arrived.Task;

        manifests.Replace("upstreams.yaml", gone == "the upstream" ? Upstream("other", [other.Address]) : Upstream("shop", [other.Address]));
        await Eventually.HoldsAsync(async () => !(await process.MetricsAsync()).Any(line => NamesPeer(line, slow.Address)), "the peer is gone", Stop);
        go.SetResult();

        Assert.Equal("done", await asked);
        await Eventually.HoldsAsync(async () => await process.MetricAsync("stickyingress_http_requests_in_flight") == 0, "the request is counted out", Stop);
        var page = await process.MetricsAsync();
        Assert.DoesNotContain(page, line => NamesPeer(line, slow.Address));
        if (gone == "the upstream") Assert.DoesNotContain(page, line => line.Contains("upstream=\"shop\"", StringComparison.Ordinal));

        static bool NamesPeer(string line, string address) => line.Contains($"peer=\"{address}\"", StringComparison.Ordinal);
    }

    private static string[] Still(string[] page)
    {
        var moved = page.Where(line => !line.StartsWith('#') && !line.EndsWith(" 0", StringComparison.Ordinal)).Select(line => line.Split('{', ' ')[0]).ToHashSet();
        return
        [
            .. page.Where(line => line.StartsWith("# TYPE stickyingress_", StringComparison.Ordinal)).Select(line => line.Split(' ')[2])
                .Where(name => !moved.Contains(name) && !moved.Contains(name + "_count"))
                .Where(name => name is not ("stickyingress_http_requests_in_flight" or "stickyingress_upstream_queue_length"))
                .Where(name => !name.StartsWith("stickyingress_session_sync_", StringComparison.Ordinal))
                .Where(name => !name.StartsWith("stickyingress_session_file_", StringComparison.Ordinal)),
        ];
    }

    private static Comparer<KeyValuePair<string, string>> Comparer { get; } =
        Comparer<KeyValuePair<string, string>>.Create(static (a, b) => string.CompareOrdinal(a.Key, b.Key));

    /// <summary>Label names of the metric's series, in order; empty where it has no series, which shows as a difference.</summary>
    private static string LabelsOf(string[] page, string metric)
    {
        var series = page.First(line => Regex.IsMatch(line, $"^{metric}(_bucket)?[{{ ]", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture));
        var brace = series.IndexOf('{');
        return brace < 0 ? "" : string.Join(", ", Regex.Matches(series[brace..], "[{,](?<label>[a-z]+)=", RegexOptions.NonBacktracking)
            .Select(match => match.Groups["label"].Value).Where(label => label != "le"));
    }

    private static async Task<string[]> ScrapeAsync()
    {
        await using var site = await EverySeries.StartAsync();
        await site.AskAsync();
        await Eventually.HoldsAsync(
            async () => (await site.Process.MetricsAsync()).Any(line => line.StartsWith("stickyingress_http_requests_total{namespace=\"default\",upstream=\"retry\"", StringComparison.Ordinal)),
            "requests are counted", Stop);
        await Eventually.HoldsAsync(
            async () => (await site.Process.MetricsAsync()).Count(line => Regex.IsMatch(line, "^stickyingress_(?:resolver_responses|health_checks|upstream_queue_rejected)_total{", RegexOptions.NonBacktracking)) >= 3,
            "checks, questions and the queue are counted", Stop);
        return await site.Process.MetricsAsync();
    }

    private static Process? Promtool()
    {
        try
        {
            return Process.Start(new ProcessStartInfo("promtool", ["check", "metrics"])
            {
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            });
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
