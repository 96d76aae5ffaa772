using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>Processes that are killed, ours and peers, while clients ask.</summary>
public sealed class CrashTests
{
    [Fact]
    public async Task A_peer_that_is_killed_under_load_fails_no_idempotent_request()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var behind = With(Upstream("shop", [servers[0].Address]));
        // The peer that dies is a process of its own: one more of ours, with a server behind it.
        await using var dies = await StickyProcess.ServeAsync(behind, "--access-log", "off");
        using var manifests = With(Upstream("shop", [dies.Http.ToString(), servers[1].Address], "proxy: { responseHeaders: [] }"));
        await using var process = await StickyProcess.ServeAsync(manifests, "--access-log", "off");
        await using var load = Load.On(process, "/shop", clients: 8);
        await load.AnswersAsync(200);
        var both = load.Answers.Keys.Order().ToArray();

        dies.Signal("KILL");
        await dies.ExitAsync();
        await load.AnswersAsync(500);

        await load.EndAsync();
        Assert.Equal(["a", "b"], both);
        Assert.Empty(load.Failures);
        Assert.True(await process.MetricAsync($"stickyingress_peer_state{{namespace=\"default\",upstream=\"shop\",peer=\"{dies.Http}\",state=\"suspended\"}}") == 1);
    }

    [Fact]
    public async Task After_a_kill_it_starts_again_on_the_same_ports_and_knows_its_cookies()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var manifests = With(Upstream("shop", servers.Addresses, "sticky: { cookie: { name: c } }"));
        File.WriteAllText(manifests.PathOf("keys"), "a key of sixteen bytes or more\n");
        var (http, admin) = (FreePort.Next(), FreePort.Next());
        string[] arguments = ["run", "--manifests", manifests.Folder, "--affinity-keys", manifests.PathOf("keys")];
        string cookie, peer;
        await using (var first = await StickyProcess.ServeAsync(http, admin, arguments))
        {
            using var response = await first.Client.GetAsync("/shop", TestContext.Current.CancellationToken);
            cookie = response.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
            peer = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            first.Signal("KILL");
            Assert.NotEqual(0, await first.ExitAsync());
        }

        await using var second = await StickyProcess.ServeAsync(http, admin, arguments);

        for (var i = 0; i < 4; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/shop") { Headers = { { "Cookie", cookie } } };
            using var response = await second.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(peer, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
    }
}
