using StickyIngress.Control;
using StickyIngress.Control.Sources;

namespace StickyIngress.Tests;

public sealed class ExamplesTests
{
    public static TheoryData<string> Files => [.. Directory.EnumerateFiles(Repository.PathOf("manifests/examples")).Select(file => Path.GetFileName(file)!)];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task An_example_has_nothing_wrong(string file)
    {
        var validation = await Validation.RunAsync(
            [Repository.PathOf("manifests/examples/" + file)], "sticky", new SystemHostResolver(), TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.Empty(validation.Diagnostics);
        Assert.Equal(1, validation.Upstreams);
    }
}
