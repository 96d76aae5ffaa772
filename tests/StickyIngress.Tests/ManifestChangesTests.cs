using System.Diagnostics;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>Manifests change while a load runs, and no request fails.</summary>
public sealed class ManifestChangesTests : IAsyncLifetime
{
    private Backends _servers = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _servers = await Backends.StartAsync("a", "b", "c");

    public ValueTask DisposeAsync() => _servers.DisposeAsync();

    [Fact]
    public async Task An_edit_in_place_moves_the_load()
    {
        using var manifests = With(Shop(0));
        await using var process = await StickyProcess.ServeAsync(manifests);
        await using var load = Load.On(process, "/shop");
        await load.AnswersAsync(50);

        for (var turn = 1; turn <= 6; turn++)
        {
            manifests.Write("upstreams.yaml", Shop(turn % 3));
            await AnswersAsync(process, "abc"[turn % 3].ToString());
            await load.AnswersAsync(50);
        }

        await load.EndAsync();
        Assert.Empty(load.Failures);
        Assert.Equal(["a", "b", "c"], load.Answers.Keys.Order());
    }

    [Fact]
    public async Task A_rename_over_the_file_moves_the_load()
    {
        using var manifests = With(Shop(0));
        await using var process = await StickyProcess.ServeAsync(manifests);
        await using var load = Load.On(process, "/shop");

        for (var turn = 1; turn <= 6; turn++)
        {
            manifests.Replace("upstreams.yaml", Shop(turn % 3));
            await AnswersAsync(process, "abc"[turn % 3].ToString());
            await load.AnswersAsync(50);
        }

        await load.EndAsync();
        Assert.Empty(load.Failures);
    }

    [Fact]
    public async Task Files_that_come_and_go_disturb_nobody_else()
    {
        using var manifests = With(Shop(0));
        await using var process = await StickyProcess.ServeAsync(manifests);
        await using var load = Load.On(process, "/shop");

        for (var turn = 0; turn < 4; turn++)
        {
            manifests.Write("more.yaml", Upstream("more", [_servers[1].Address]));
            await AnswersAsync(process, "b", "/more");
            await load.AnswersAsync(20);
            manifests.Delete("more.yaml");
            await Eventually.HoldsAsync(async () => (int)(await process.Client.GetAsync("/more", Stop)).StatusCode == 404, "/more is gone", Stop);
        }

        await load.EndAsync();
        Assert.Empty(load.Failures);
        Assert.Equal(["a"], load.Answers.Keys);
    }

    [Fact]
    public async Task The_symlink_swap_of_a_mounted_ConfigMap_moves_the_load()
    {
        using var manifests = With();
        Mount(manifests, "..first", Shop(0));
        File.CreateSymbolicLink(manifests.PathOf("upstreams.yaml"), "..data/upstreams.yaml");
        await using var process = await StickyProcess.ServeAsync(manifests);
        await using var load = Load.On(process, "/shop");
        await load.AnswersAsync(50);

        Mount(manifests, "..second", Shop(1));
        Directory.Delete(manifests.PathOf("..first"), recursive: true);

        await AnswersAsync(process, "b");
        await load.AnswersAsync(50);
        await load.EndAsync();
        Assert.Empty(load.Failures);
    }

    [Fact]
    public async Task What_is_gone_takes_its_series_along()
    {
        using var manifests = With(Upstream("shop", _servers.Addresses, "sticky: { cookie: { name: c } }"), Upstream("more", [_servers[1].Address]));
        await using var process = await StickyProcess.ServeAsync(manifests);
        for (var i = 0; i < 3; i++) await process.GetAsync("/shop");
        await process.GetAsync("/more");
        var before = await process.MetricsAsync();

        manifests.Write("upstreams.yaml", Upstream("shop", _servers.Addresses.Take(2), "sticky: { cookie: { name: c } }"));
        var gonePeer = $"peer=\"{_servers[2].Address}\"";
        string[] after = [];
        bool Tells(string label) => Array.Exists(after, line => line.Contains(label, StringComparison.Ordinal));
        await Eventually.HoldsAsync(
            async () => (after = await process.MetricsAsync()).Length > 0 && !Tells("upstream=\"more\"") && !Tells(gonePeer), "upstream more and the peer are gone", Stop);

        Assert.Contains(before, line => line.Contains(gonePeer, StringComparison.Ordinal) && line.StartsWith("stickyingress_peer_requests_total", StringComparison.Ordinal));
        Assert.Contains(before, line => line.Contains("upstream=\"more\"", StringComparison.Ordinal));
        Assert.Contains(after, line => line.Contains($"peer=\"{_servers[0].Address}\"", StringComparison.Ordinal));
    }

    private static void Mount(Manifests manifests, string folder, string document)
    {
        Directory.CreateDirectory(manifests.PathOf(folder));
        manifests.Write(folder + "/upstreams.yaml", document);
        File.CreateSymbolicLink(manifests.PathOf("..data_tmp"), folder);
        using var move = Process.Start("mv", ["-T", manifests.PathOf("..data_tmp"), manifests.PathOf("..data")]);
        move.WaitForExit();
        Assert.Equal(0, move.ExitCode);
    }

    private static Task AnswersAsync(StickyProcess process, string name, string target = "/shop") => Eventually.HoldsAsync(
        async () =>
        {
            using var response = await process.Client.GetAsync(target, Stop);
            return await response.Content.ReadAsStringAsync(Stop) == name;
        },
        $"{name} answers {target}", Stop);

    private string Shop(int server) => Upstream("shop", [_servers[server].Address]);
}
