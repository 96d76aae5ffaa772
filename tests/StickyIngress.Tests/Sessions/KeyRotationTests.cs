using System.Diagnostics;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests.Sessions;

/// <summary>Affinity keys that change while the process serves.</summary>
public sealed class KeyRotationTests : IDisposable
{
    private const int Clients = 20;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("keys-");
    private readonly string?[] _cookies = new string?[Clients];
    private int _version;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Keys => Path.Combine(_folder.FullName, "keys");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Rotating_a_mounted_secret_under_load_loses_no_session()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        using var manifests = With(Upstream("u", servers.Addresses, "sticky: { cookie: { name: c } }"));
        Mount("the key of the first year");
        await using var process = await StickyProcess.ServeAsync(manifests, "--affinity-keys", Keys);
        var own = await AskAllAsync(process);
        var issued = _cookies.ToArray();

        Mount("the key of the second year\nthe key of the first year");
        await ServesUntilAsync(process, own, () => !_cookies.Any(issued.Contains));
        Mount("the key of the second year");
        await ServesUntilAsync(process, own, () => process.Error.Any(line => line.Contains("1 are accepted now", StringComparison.Ordinal)));

        Assert.Equal(own, await AskAllAsync(process));
        Assert.DoesNotContain(await process.MetricsAsync(), line => line.StartsWith("stickyingress_affinity_breaks_total{", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_broken_file_leaves_the_keys_as_they_were_and_is_told()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        using var manifests = With(Upstream("u", servers.Addresses, "sticky: { cookie: { name: c } }"));
        Mount("the key of the first year");
        await using var process = await StickyProcess.ServeAsync(manifests, "--affinity-keys", Keys);
        var own = await AskAllAsync(process);

        Mount("short");
        await process.LogsAsync("has 5 bytes; it must have at least 16");

        Assert.Equal(0, await process.MetricAsync("stickyingress_affinity_keys_current"));
        Assert.Equal(own, await AskAllAsync(process));
        var told = Assert.Single((await process.ApiAsync("diagnostics")).EnumerateArray());
        Assert.Equal(("error", "Unreadable", Keys), (told.GetProperty("severity").GetString(), told.GetProperty("reason").GetString(), told.GetProperty("file").GetString()));

        Mount("the key of the first year");
        await Eventually.HoldsAsync(async () => await process.MetricAsync("stickyingress_affinity_keys_current") == 1, "the keys are current", Stop);
        Assert.Empty((await process.ApiAsync("diagnostics")).EnumerateArray());
    }

    /// <summary>As the kubelet mounts a Secret: a folder for each version, and a link that is swapped.</summary>
    private void Mount(string keys)
    {
        var version = $"..{++_version}";
        File.WriteAllText(Path.Combine(_folder.CreateSubdirectory(version).FullName, "keys"), keys);
        var link = Path.Combine(_folder.FullName, "..data");
        Directory.CreateSymbolicLink(link + "_tmp", version);
        using (var swap = Process.Start("mv", ["-T", link + "_tmp", link])) swap.WaitForExit();
        if (!File.Exists(Keys)) File.CreateSymbolicLink(Keys, Path.Combine("..data", "keys"));
    }

    private async Task ServesUntilAsync(StickyProcess process, string[] own, Func<bool> condition) => await Eventually.HoldsAsync(
        async () =>
        {
            Assert.Equal(own, await AskAllAsync(process));
            return condition();
        },
        "the new keys are in use", Stop);

    private Task<string[]> AskAllAsync(StickyProcess process) => Task.WhenAll(Enumerable.Range(0, Clients).Select(async client =>
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/u");
        if (_cookies[client] is { } cookie) request.Headers.Add("Cookie", cookie);
        using var response = await process.Client.SendAsync(request, Stop);
        if (response.Headers.TryGetValues("Set-Cookie", out var set)) _cookies[client] = set.Single().Split(';')[0];
        return await response.Content.ReadAsStringAsync(Stop);
    }));
}
