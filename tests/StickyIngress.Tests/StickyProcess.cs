using StickyIngress.Testing;

namespace StickyIngress.Tests;

/// <summary>The executable under test, for as long as the test runs.</summary>
public sealed class StickyProcess : IngressProcess
{
    private StickyProcess(
        int http, int admin, IReadOnlyList<string> arguments, IReadOnlyList<(string Name, string Value)> environment)
        : base(http, admin, arguments, environment, TestContext.Current.CancellationToken)
    {
    }

    /// <summary>Starts <c>run</c> on free ports and waits until it is ready.</summary>
    public static Task<StickyProcess> ServeAsync(Manifests manifests, params string[] more) =>
        ServeAsync(FreePort.Next(), FreePort.Next(), ["run", "--manifests", manifests.Folder, .. more]);

    public static async Task<StickyProcess> ServeAsync(
        int http, int admin, IReadOnlyList<string> arguments, params (string Name, string Value)[] environment)
    {
        var process = new StickyProcess(http, admin, arguments, environment);
        await process.ReadyAsync();
        return process;
    }

    /// <summary>Runs a command that ends by itself.</summary>
    public static Task<Ended> RunAsync(IReadOnlyList<string> arguments, params (string Name, string Value)[] environment) =>
        RunAsync(arguments, environment, TestContext.Current.CancellationToken);
}
