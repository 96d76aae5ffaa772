namespace StickyIngress.Tests.Chart;

/// <summary>What is made from the charts is what they say now.</summary>
public sealed class GeneratedFilesTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("charts/sticky-ingress/README.md")]
    [InlineData("docs/operate.md")]
    public async Task The_table_of_values_is_current(string path) =>
        Golden.Check(path, ChartDocs.WithTable(await File.ReadAllTextAsync(Repository.PathOf(path), Stop)));

    [Fact]
    public void Each_value_has_a_sentence() => Assert.All(ChartDocs.Values(), value => Assert.EndsWith(".", value.Comment, StringComparison.Ordinal));

    [Fact]
    public async Task The_manifest_for_kubectl_is_the_charts_rendered()
    {
        var rendered = await Helm.RenderManifestAsync();

        Assert.Equal(await File.ReadAllTextAsync(Repository.PathOf("manifests/install.yaml"), Stop), rendered);
    }

    [Fact]
    public async Task The_manifest_for_kubectl_has_no_key_in_it()
    {
        var objects = Rendered.Parse(await File.ReadAllTextAsync(Repository.PathOf("manifests/install.yaml"), Stop));

        Assert.Empty(objects.Kind("Secret"));
        Assert.Contains("CustomResourceDefinition/stickyupstreams.stickyingress.io", objects.Names);
    }

    [Theory]
    [InlineData("charts/sticky-ingress/Chart.yaml")]
    [InlineData("charts/sticky-ingress-crds/Chart.yaml")]
    public async Task The_charts_are_of_the_version_of_the_program(string path)
    {
        var chart = Rendered.Parse(await File.ReadAllTextAsync(Repository.PathOf(path), Stop)).Objects.Single();
        var version = System.Xml.Linq.XDocument.Load(Repository.PathOf("Directory.Build.props")).Descendants("Version").Single().Value;

        Assert.Equal((version, version), ((string?)chart["version"], (string?)chart["appVersion"]));
    }
}
