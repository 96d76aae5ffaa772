using StickyIngress.Api.Tests;
using StickyIngress.Testing;

namespace StickyIngress.Tests.Clusters;

/// <summary>What a real API server makes of the CRD: it takes it, and refuses what <c>validate</c> refuses, for the same field.</summary>
[Collection(nameof(RealServer))]
public sealed class CrdTests(RealServer real)
{
    public static IEnumerable<TheoryDataRow<string, string, string>> Cases =>
    [
        .. SpecCases.Rules.Select(row => new TheoryDataRow<string, string, string>(row.Data.Item2, row.Data.Item3, row.Data.Item4)),
        .. SpecCases.Fields.Select(row => row.Data).Select(row => new TheoryDataRow<string, string, string>(row.Item1, row.Item2, row.Item3)),
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Kubectl_apply_and_validate_agree(string field, string accepted, string refused)
    {
        var (code, said) = await ApplyAsync(accepted);
        Assert.True(code == 0, said);
        Assert.Empty(Examples.ReadSpec(accepted).Errors);

        (code, said) = await ApplyAsync(refused);
        Assert.NotEqual(0, code);
        Assert.Contains(field, said, StringComparison.Ordinal);
        Assert.Contains(Examples.ReadSpec(refused).Errors, error => error.Field.StartsWith(field, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_CRD_has_no_warnings_and_can_be_explained()
    {
        var kubectl = real.Server.Admin;

        var said = await kubectl.MustAsync("", "apply", "--server-side", "-f", Repository.PathOf("crds"));
        Assert.DoesNotContain("Warning", said, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("NonStructuralSchema", await kubectl.MustAsync("", "get", "crd", "stickyupstreams.stickyingress.io", "-o", "yaml"), StringComparison.Ordinal);
        await Eventually.HoldsAsync(
            async () => (await kubectl.KubectlAsync("", "explain", "stickyupstream.spec.servers")).Said.Contains("FIELDS:", StringComparison.Ordinal),
            "the server explains the fields", TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Every_example_is_accepted()
    {
        var (code, said) = await real.Server.Admin.KubectlAsync(
            "", "apply", "--server-side", "--dry-run=server", "-f", Repository.PathOf("manifests/examples"));

        Assert.True(code == 0, said);
    }

    private Task<(int Code, string Said)> ApplyAsync(string spec) =>
        real.Server.Admin.KubectlAsync(Examples.WithSpec(spec), "apply", "--dry-run=server", "-f", "-");
}
