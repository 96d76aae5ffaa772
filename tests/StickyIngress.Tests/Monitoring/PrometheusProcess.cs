using System.Diagnostics;
using System.Text.Json.Nodes;
using StickyIngress.Testing;

namespace StickyIngress.Tests.Monitoring;

/// <summary>Debian's Prometheus, which scrapes admin ports once a second.</summary>
internal sealed class PrometheusProcess : IAsyncDisposable
{
    private readonly string _folder;
    private readonly Process _process;
    private readonly HttpClient _client;

    private PrometheusProcess(string folder, Process process, int port) =>
        (_folder, _process, _client) = (folder, process, new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new($"http://127.0.0.1:{port}") });

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<PrometheusProcess> ScrapeAsync(params StickyProcess[] processes)
    {
        var folder = Directory.CreateTempSubdirectory("sticky-prometheus-").FullName;
        var targets = string.Join(", ", processes.Select(process => process.Admin.BaseAddress!.Authority));
        var configuration = Path.Combine(folder, "prometheus.yml");
        await File.WriteAllTextAsync(configuration, $$"""
            global: { scrape_interval: 1s }
            scrape_configs:
            - { job_name: sticky-ingress, honor_labels: true, static_configs: [{ targets: ["{{targets.Replace(", ", "\", \"")}}"] }] }
            """, Stop);
        var port = FreePort.Next();
        var process = Promtool.Start(
            "prometheus", ["--config.file", configuration, "--storage.tsdb.path", Path.Combine(folder, "data"), "--web.listen-address", $"127.0.0.1:{port}", "--log.level", "error"]);
        var prometheus = new PrometheusProcess(folder, process, port);
        _ = process.StandardOutput.ReadToEndAsync(Stop);
        _ = process.StandardError.ReadToEndAsync(Stop);
        await Eventually.HoldsAsync(prometheus.AnswersAsync, "Prometheus is ready", Stop);
        return prometheus;
    }

    /// <summary>Whether the query gives at least one number.</summary>
    public async Task<bool> HasDataAsync(string query)
    {
        var answer = JsonNode.Parse(await _client.GetStringAsync("/api/v1/query?query=" + Uri.EscapeDataString(query), Stop))!;
        return answer["data"]!["result"]!.AsArray().Any(sample => (string?)sample!["value"]![1] != "NaN");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _client.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<bool> AnswersAsync()
    {
        if (_process.HasExited) throw new InvalidOperationException($"prometheus ended with {_process.ExitCode}");
        try
        {
            using var response = await _client.GetAsync("/-/ready", Stop);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // not listening yet
        }
    }
}
