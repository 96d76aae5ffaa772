using System.Text.RegularExpressions;
using StickyIngress.Settings;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>The command line as a user meets it.</summary>
public sealed class CommandTests
{
    [Fact]
    public async Task Help_names_every_command_and_every_option()
    {
        var help = await StickyProcess.RunAsync(["--help"]);
        var run = await StickyProcess.RunAsync(["run", "--help"]);

        Assert.Equal((0, 0), (help.Code, run.Code));
        Assert.All(["run", "demo", "validate", "crd"], command => Assert.Matches($@"(?m)^  {command} ", help.Output));
        Assert.All(SettingList.All, setting =>
        {
            Assert.Contains("--" + setting.Name, run.Output, StringComparison.Ordinal);
            Assert.NotEmpty(setting.Description);
        });
    }

    [Fact]
    public async Task The_CRD_is_the_one_in_crds()
    {
        var crd = await StickyProcess.RunAsync(["crd"]);

        Assert.Equal(0, crd.Code);
        Assert.Equal(await File.ReadAllTextAsync(Repository.PathOf("crds/stickyingress.io_stickyupstreams.yaml"), TestContext.Current.CancellationToken), crd.Output);
    }

    [Fact]
    public async Task What_is_no_command_or_option_is_refused()
    {
        var command = await StickyProcess.RunAsync(["serve"]);
        var option = await StickyProcess.RunAsync(["run", "--bogus"]);

        Assert.Equal((1, 1), (command.Code, option.Code));
        Assert.Contains("serve", command.Error, StringComparison.Ordinal);
        Assert.Contains("--bogus", option.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named()
    {
        await using var taken = await TestBackend.StartAsync("taken");
        using var manifests = With();

        foreach (var (taker, other) in new[] { ("--http", "--admin"), ("--admin", "--http") })
            await AssertCannotListenAsync(taken.Address, "run", "--manifests", manifests.Folder, taker, taken.Address, other, "127.0.0.1:0");
    }

    [Fact]
    public async Task An_address_that_is_not_ours_is_named()
    {
        using var manifests = With();

        foreach (var (taker, other) in new[] { ("--http", "--admin"), ("--admin", "--http") })
            await AssertCannotListenAsync("192.0.2.1:80", "run", "--manifests", manifests.Folder, taker, "192.0.2.1:80", other, "127.0.0.1:0");
    }

    [Fact]
    public async Task Validate_ends_with_0_where_nothing_is_wrong()
    {
        using var manifests = With(Upstream("shop", ["127.0.0.1:80"]));

        var ended = await StickyProcess.RunAsync(["validate", manifests.Folder]);

        Assert.Equal(new(0, "1 upstreams, 0 errors, 0 warnings\n", ""), ended);
    }

    [Fact]
    public async Task Validate_of_what_is_not_there_ends_with_1()
    {
        var ended = await StickyProcess.RunAsync(["validate", "/nowhere.yaml"]);

        Assert.Equal(new(1, "", "/nowhere.yaml: no such file or directory\n"), ended);
    }

    [Fact]
    public async Task The_demo_sticks_in_all_three_modes_and_stops()
    {
        await using var demo = await StickyProcess.ServeAsync(FreePort.Next(), FreePort.Next(), ["demo"]);
        await demo.LogsAsync($"curl -c jar -b jar http://localhost:{demo.Http.Port}/learn");

        foreach (var target in new[] { "/", "/route", "/learn" })
        {
            using var first = await demo.Client.GetAsync(target, TestContext.Current.CancellationToken);
            var cookie = string.Join("; ", first.Headers.GetValues("Set-Cookie").Select(one => one.Split(';')[0]));
            var peer = await PeerAsync(first);
            for (var i = 0; i < 4; i++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, target) { Headers = { { "Cookie", cookie } } };
                using var again = await demo.Client.SendAsync(request, TestContext.Current.CancellationToken);
                Assert.Equal(peer, await PeerAsync(again));
            }
        }

        Assert.Equal(0, await demo.StopAsync());
    }

    private static async Task AssertCannotListenAsync(string address, params string[] arguments)
    {
        var ended = await StickyProcess.RunAsync(arguments);

        Assert.Equal((1, ""), (ended.Code, ended.Output));
        var said = Assert.Single(ended.Error.TrimEnd().Split('\n'), line => !line.Contains(" warn: ", StringComparison.Ordinal));
        Assert.Contains(address, said, StringComparison.Ordinal);
    }

    private static async Task<string> PeerAsync(HttpResponseMessage response) => Regex.Match(
        await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), "^backend [abc]", RegexOptions.NonBacktracking).Value;
}
