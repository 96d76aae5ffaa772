using System.Diagnostics;

namespace StickyIngress.Tests;

/// <summary>What make release refuses before it builds anything.</summary>
public sealed class ReleaseTests
{
    [Theory]
    [InlineData("VERSION is \"\"; it must be like 1.2.3", "", "")]
    [InlineData("VERSION is \"latest\"; it must be like 1.2.3", "latest", "base@sha256:x")]
    [InlineData("BASE is \"mcr.microsoft.com/dotnet/runtime-deps:", "1.2.3", "")]
    [InlineData("BASE is \"base:1\"; of a release it must be NAME@sha256:DIGEST", "1.2.3", "base:1")]
    [InlineData("BASE is \"base@sha256:12\"; of a release it must be NAME@sha256:DIGEST", "1.2.3", "base@sha256:12")]
    public async Task A_release_names_its_version_and_the_digest_of_its_base(string expected, string version, string @base)
    {
        using var process = Process.Start(new ProcessStartInfo(Repository.PathOf(".ci/release.sh"), [version, "image", @base])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
        })!;
        var said = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(1, process.ExitCode);
        Assert.Contains(expected, said, StringComparison.Ordinal);
    }
}
