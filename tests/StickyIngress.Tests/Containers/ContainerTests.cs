using StickyIngress.Testing;

namespace StickyIngress.Tests.Containers;

/// <summary>The image on a real engine, before real servers that die and come back.</summary>
public sealed class ContainerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_browser_stays_with_its_backend_by_cookie_route_and_learn()
    {
        await using var site = await ContainerSite.StartAsync();

        var backends = await Task.WhenAll(new[] { "/", "/route", "/learn" }.Select(target => BackendsOfBrowserAsync(site, target)));

        Assert.All(backends, seen => Assert.Single(seen));
    }

    [Fact]
    public async Task Runs_as_nobody_with_nothing_to_write_and_no_capability()
    {
        await using var site = await ContainerSite.StartAsync();

        var container = await DockerEngine.RunAsync("inspect", "--format",
            "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.Config.Healthcheck}}", site.Proxy.Id);
        var changed = await DockerEngine.RunAsync("diff", site.Proxy.Id);

        Assert.Equal("65532:65532 true [ALL] <nil>", container);
        Assert.Equal("A /manifests", changed);
    }

    [Fact]
    public async Task The_image_has_all_that_the_admin_port_needs()
    {
        await using var site = await ContainerSite.StartAsync();

        var pages = await Task.WhenAll(new[] { "/metrics", "/api/v1/upstreams", "/api/v1/diagnostics" }.Select(target => site.Admin.GetStringAsync(target, Stop)));

        Assert.Contains("\nstickyingress_build_info{", pages[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_request_fails_while_a_backend_is_killed_and_comes_back()
    {
        await using var site = await ContainerSite.StartAsync();
        await using var load = Load.On(site.Client, "/", clients: 8);
        await AllAnswerAsync(load);

        await DockerEngine.RunAsync("kill", site.Backend("b").Id);
        await load.AnswersAsync(500);
        var before = load.Answers["backend b\n"];
        await load.AnswersAsync(200);
        Assert.Equal(before, load.Answers["backend b\n"]);
        await DockerEngine.RunAsync("start", site.Backend("b").Id);
        await Eventually.HoldsAsync(() => load.Answers["backend b\n"] > before, "b serves again", Stop);
        await load.EndAsync();

        Assert.Empty(load.Failures);
    }

    [Fact]
    public async Task A_browser_whose_backend_is_killed_moves_once()
    {
        await using var site = await ContainerSite.StartAsync();
        using var browser = site.NewBrowser();
        var first = await browser.GetStringAsync("/", Stop);
        var name = first.Split(' ')[1].Trim();

        await DockerEngine.RunAsync("kill", site.Backend(name).Id);
        var second = await browser.GetStringAsync("/", Stop);
        var later = new HashSet<string>();
        for (var i = 0; i < 10; i++) later.Add(await browser.GetStringAsync("/", Stop));

        Assert.NotEqual(first, second);
        Assert.Equal([second], later);
    }

    [Fact]
    public async Task Stopping_the_container_under_load_fails_no_request()
    {
        await using var site = await ContainerSite.StartAsync("--shutdown-grace", "2s");
        await using var load = Load.On(site.Client, "/", clients: 8);
        await AllAnswerAsync(load);

        var stopped = DockerEngine.RunAsync("stop", "--time", "60", site.Proxy.Id);
        await Eventually.HoldsAsync(async () => !await site.IsReadyAsync(), "the container is not ready any more", Stop);
        await load.AnswersAsync(50);
        await load.EndAsync(); // as a load balancer that has noticed sends no more
        await stopped;

        Assert.Empty(load.Failures);
        Assert.Equal("0", await DockerEngine.RunAsync("inspect", "--format", "{{.State.ExitCode}}", site.Proxy.Id));
    }

    private static async Task<HashSet<string>> BackendsOfBrowserAsync(ContainerSite site, string target)
    {
        using var browser = site.NewBrowser();
        var seen = new HashSet<string>();
        for (var i = 0; i < 20; i++) seen.Add(await browser.GetStringAsync(target, Stop));
        return seen;
    }

    private static Task AllAnswerAsync(Load load) =>
        Eventually.HoldsAsync(() => load.Answers.Count == 3, "all backends answer", Stop);
}
