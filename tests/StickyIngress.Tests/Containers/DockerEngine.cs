using System.ComponentModel;
using System.Diagnostics;

namespace StickyIngress.Tests.Containers;

/// <summary>The Docker engine, by its command; a test that finds none is skipped with the reason.</summary>
internal static class DockerEngine
{
    private static readonly Lazy<Task<string?>> Missing = new(FindAsync);

    /// <summary>Skips the running test where no engine answers or the program was not published for the image.</summary>
    public static async Task NeedAsync()
    {
        if (await WhyNotAsync() is { } reason) Assert.Skip(reason);
        if (!Directory.Exists(Repository.PathOf("artifacts/image"))) Assert.Skip("the program was not published for the image (make publish)");
    }

    /// <summary>Why there is no engine; null: one answers.</summary>
    public static Task<string?> WhyNotAsync() => Missing.Value;

    /// <summary>Output of a docker command that must succeed.</summary>
    public static async Task<string> RunAsync(params string[] arguments)
    {
        var (code, output) = await TryRunAsync(arguments);
        return code == 0 ? output.Trim() : throw new InvalidOperationException($"docker {string.Join(' ', arguments)}: {output}");
    }

    public static async Task<bool> HasImageAsync(string image) => (await TryRunAsync("image", "inspect", image)).Code == 0;

    private static async Task<string?> FindAsync()
    {
        try
        {
            return (await TryRunAsync("version")).Code == 0 ? null : "no Docker engine answers (as root with dockerd installed, tests/docker.sh starts one)";
        }
        catch (Win32Exception)
        {
            return "docker is missing (Debian package docker.io)";
        }
    }

    private static async Task<(int Code, string Output)> TryRunAsync(params string[] arguments)
    {
        using var docker = Process.Start(
            new ProcessStartInfo("docker", arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (docker.StandardOutput.ReadToEndAsync(), docker.StandardError.ReadToEndAsync());
        await docker.WaitForExitAsync();
        return (docker.ExitCode, docker.ExitCode == 0 ? await output : await output + await error);
    }
}
