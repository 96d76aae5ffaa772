using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace StickyIngress.Tests.Monitoring;

/// <summary>promtool, which runs the alert rules over series made of two real pages of metrics.</summary>
internal static partial class Promtool
{
    private const int Minutes = 120;

    /// <summary>
    /// Which of the alerts fire after two hours in which everything goes on as between the two pages: counters grow each minute by what they
    /// grew, gauges stay as they are on the second page, and times are told from the second page, since promtool's clock begins at 0.
    /// </summary>
    public static async Task<string[]> FiringAsync(IEnumerable<string> alerts, string[] before, string[] after)
    {
        var firing = new List<string>();
        foreach (var alert in alerts)
        {
            var test = new StringBuilder($"rule_files: [{Repository.PathOf("charts/sticky-ingress/files/alerts.yaml")}]\n");
            test.Append("evaluation_interval: 1m\ntests:\n- interval: 1m\n  input_series:\n");
            foreach (var series in SeriesOf(before, after)) test.Append(series);
            test.Append($$"""
                  promql_expr_test:
                  - expr: count(ALERTS{alertname="{{alert}}", alertstate="firing"}) > bool 0
                    eval_time: {{Minutes}}m
                    exp_samples: [{ value: 1 }]

                """);
            if (await RunAsync("test", "rules", test.ToString())) firing.Add(alert);
        }

        return [.. firing];
    }

    /// <summary>Skips the running test where the program is missing.</summary>
    public static Process Start(string program, IReadOnlyList<string> arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (Win32Exception)
        {
            Assert.Skip($"{program} is missing (Debian package prometheus)");
            throw;
        }
    }

    private static async Task<bool> RunAsync(string command, string what, string content)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, content);
        using var promtool = Start("promtool", [command, what, file]);
        var (output, error) = (promtool.StandardOutput.ReadToEndAsync(), promtool.StandardError.ReadToEndAsync());
        await promtool.WaitForExitAsync();
        var said = await output + await error;
        // A test that is wrong itself is no alert that does not fire.
        Assert.True(promtool.ExitCode == 0 || said.Contains("exp:", StringComparison.Ordinal), said);
        File.Delete(file);
        return promtool.ExitCode == 0;
    }

    private static IEnumerable<string> SeriesOf(string[] before, string[] after)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var counters = after.Select(line => CounterType().Match(line)).Where(match => match.Success).Select(match => match.Groups["name"].Value).ToHashSet();
        var former = Samples(before).ToDictionary(sample => sample.Series, sample => sample.Value);
        foreach (var (series, value) in Samples(after))
        {
            var name = series.Split('{')[0];
            var grows = counters.Contains(name) || counters.Contains(HistogramSuffix().Replace(name, ""));
            var start = grows ? former.GetValueOrDefault(series) : IsTime(name) && value > 0 ? value - now + 1 : value;
            yield return $"  - series: '{series.Replace("'", "''")}'\n    values: {start:R}+{(grows ? Math.Max(0, value - start) : 0):R}x{Minutes}\n";
        }
    }

    private static bool IsTime(string name) => name.EndsWith("_timestamp_seconds", StringComparison.Ordinal);

    private static IEnumerable<(string Series, double Value)> Samples(string[] page) =>
        from line in page
        where line.StartsWith("stickyingress_", StringComparison.Ordinal)
        let space = line.LastIndexOf(' ')
        select (line[..space], double.Parse(line[(space + 1)..]));

    [GeneratedRegex("^# TYPE (?<name>[a-z_]+) (?:counter|histogram)$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex CounterType();

    [GeneratedRegex("_(?:bucket|sum|count)$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex HistogramSuffix();
}
