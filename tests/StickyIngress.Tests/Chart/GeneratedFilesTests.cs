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
    public async Task The_manifest_for_kubectl_is_the_chart_rendered()
    {
        const string head = """
            # StickyIngress for plain kubectl, made from the charts by make generate. Before it, once, make the key of the cookies:
            #
            #   kubectl create namespace sticky-ingress
            #   kubectl create secret generic sticky-ingress-keys --namespace sticky-ingress --from-literal=keys="$(openssl rand -base64 32)"
            #   kubectl apply --server-side --filename install.yaml
            apiVersion: v1
            kind: Namespace
            metadata:
              name: sticky-ingress
              labels:
                pod-security.kubernetes.io/enforce: restricted

            """;
        var crds = await Helm.RunAsync("template", "sticky-ingress-crds", Helm.CrdChart);
        var chart = await Helm.TemplateAsync("--set", "affinityKeys.existingSecret=sticky-ingress-keys", "--skip-tests");

        Golden.Check("manifests/install.yaml", head + crds.Output + chart);
    }
}
