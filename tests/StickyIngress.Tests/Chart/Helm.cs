using System.Diagnostics;
using StickyIngress.Testing;

namespace StickyIngress.Tests.Chart;

/// <summary>The helm binary that tests/tools.sh brings; a test that finds none is skipped with the reason.</summary>
internal static class Helm
{
    public static string Chart { get; } = Repository.PathOf("charts/sticky-ingress");

    public static string CrdChart { get; } = Repository.PathOf("charts/sticky-ingress-crds");

    private static string Binary { get; } = Repository.PathOf(".tools/bin/helm");

    public static bool IsThere => File.Exists(Binary);

    /// <summary>What the chart renders as release <c>sticky-ingress</c>, in a namespace of that name.</summary>
    public static async Task<string> TemplateAsync(params string[] more)
    {
        var ended = await RunAsync(["template", "sticky-ingress", Chart, "--namespace", "sticky-ingress", .. more]);
        return ended.Code == 0 ? ended.Output : throw new InvalidOperationException(ended.Error);
    }

    /// <summary>What manifests/install.yaml should be.</summary>
    public static async Task<string> RenderManifestAsync()
    {
        var ended = await RunAsync(Repository.PathOf("manifests/render.sh"), []);
        return ended.Code == 0 ? ended.Output : throw new InvalidOperationException(ended.Error);
    }

    public static Task<Ended> RunAsync(params string[] arguments) => RunAsync(Binary, arguments);

    private static async Task<Ended> RunAsync(string program, string[] arguments)
    {
        if (!IsThere) Assert.Skip("helm is missing (tests/tools.sh brings it)");

        using var helm = Process.Start(
            new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (helm.StandardOutput.ReadToEndAsync(), helm.StandardError.ReadToEndAsync());
        await helm.WaitForExitAsync();
        return new(helm.ExitCode, await output, await error);
    }
}
