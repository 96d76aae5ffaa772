using System.Text.RegularExpressions;

namespace StickyIngress.Tests;

/// <summary>docs/operate.md says something of everything that an operator meets.</summary>
public sealed partial class OperateDocTests
{
    private static readonly string Page = File.ReadAllText(Repository.PathOf("docs/operate.md"));

    [Fact]
    public void It_has_each_alert_and_no_other() => Assert.Equal(
        Alert().Matches(File.ReadAllText(Repository.PathOf("charts/sticky-ingress/files/alerts.yaml"))).Select(match => match.Groups["name"].Value).Order(),
        AlertRow().Matches(Page).Select(match => match.Groups["name"].Value).Order());

    [Fact]
    public void It_has_each_metric()
    {
        var documented = MetricRow().Matches(File.ReadAllText(Repository.PathOf("docs/metrics.md"))).Select(match => match.Groups["name"].Value).ToArray();

        Assert.NotEmpty(documented);
        Assert.All(documented, metric => Assert.Contains($"`{metric}`", Page, StringComparison.Ordinal));
    }

    [GeneratedRegex("- alert: (?<name>[A-Za-z]+)", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Alert();

    [GeneratedRegex("(?m)^[|] `(?<name>StickyIngress[A-Za-z]+)` [|]", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex AlertRow();

    [GeneratedRegex("(?m)^[|] `(?<name>[a-z_]+)` [|]", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex MetricRow();
}
