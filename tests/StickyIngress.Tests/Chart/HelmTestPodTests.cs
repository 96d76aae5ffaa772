using System.Diagnostics;
using System.Net;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests.Chart;

/// <summary>What the pod of <c>helm test</c> runs, with the two Services taken for a process here.</summary>
public sealed class HelmTestPodTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Passes_where_the_program_serves()
    {
        using var manifests = With();
        await using var process = await StickyProcess.ServeAsync(manifests);

        var (code, said) = await RunAsync(process.Admin.BaseAddress!.Authority, process.Http.ToString());

        Assert.True(code == 0, said);
        Assert.Contains("HTTP/1.1 404", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fails_where_nobody_serves()
    {
        using var manifests = With();
        await using var process = await StickyProcess.ServeAsync(manifests);

        var (code, _) = await RunAsync(process.Admin.BaseAddress!.Authority, new IPEndPoint(IPAddress.Loopback, FreePort.Next()).ToString());

        Assert.NotEqual(0, code);
    }

    private static async Task<(int Code, string Said)> RunAsync(string admin, string traffic)
    {
        if (!File.Exists("/usr/bin/wget")) Assert.Skip("wget is missing (Debian package wget)");

        var rendered = await Rendered.ChartAsync();
        var container = rendered.One("Pod", "sticky-ingress-test")["spec"]!["containers"]!.AsArray().Single()!;
        var script = (string)container["args"]!.AsArray().Single()!;
        var here = script
            .Replace("sticky-ingress-admin:9090", admin, StringComparison.Ordinal)
            .Replace("sticky-ingress:80", traffic, StringComparison.Ordinal);
        Assert.NotEqual(script, here);

        using var shell = Process.Start(new ProcessStartInfo((string)container["command"]![0]!, [(string)container["command"]![1]!, here])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        })!;
        var said = await shell.StandardOutput.ReadToEndAsync(Stop);
        await shell.WaitForExitAsync(Stop);
        return (shell.ExitCode, said);
    }
}
