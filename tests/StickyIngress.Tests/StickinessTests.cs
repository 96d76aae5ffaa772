using StickyIngress.Core.Upstreams;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>Clients stay with their peer in each mode, over the port.</summary>
public sealed class StickinessTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("sticky: { cookie: { name: srv_id } }")]
    [InlineData("sticky: { cookie: { name: srv_id, value: NginxSid, issue: Always } }")]
    public async Task A_cookie_keeps_a_client_with_its_peer(string sticky)
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        using var manifests = With(Upstream("shop", servers.Addresses, sticky));
        await using var process = await StickyProcess.ServeAsync(manifests);

        using var first = await process.Client.GetAsync("/shop", Stop);
        var peer = await first.Content.ReadAsStringAsync(Stop);
        var cookie = first.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        var bound = await AskAsync(process, "/shop", cookie, 9);
        var free = await AskAsync(process, "/shop", null, 9);

        Assert.All(bound, answer => Assert.Equal(peer, answer));
        Assert.Equal(["a", "b", "c"], free.Distinct().Order());
    }

    [Fact]
    public async Task Clients_with_a_cookie_of_nginx_stay_while_moving_over()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        using var manifests = With(Upstream("shop", servers.Addresses, "sticky: { cookie: { name: srv_id, accept: NginxSid } }"));
        await using var process = await StickyProcess.ServeAsync(manifests);
        var ofNginx = "srv_id=" + PeerNames.Sid(servers[1].Address);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/shop") { Headers = { { "Cookie", ofNginx } } };
        using var response = await process.Client.SendAsync(request, Stop);
        var ours = response.Headers.GetValues("Set-Cookie").Single().Split(';')[0];

        Assert.Equal("b", await response.Content.ReadAsStringAsync(Stop));
        Assert.NotEqual(ofNginx, ours);
        Assert.All(await AskAsync(process, "/shop", ours, 3), answer => Assert.Equal("b", answer));
    }

    [Fact]
    public async Task A_route_in_the_applications_cookie_names_the_peer()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        using var manifests = With(Upstream("shop", servers.Addresses.Select((address, i) => $"{address}, route: {"abc"[i]}"), """
            variables:
            - { name: route_cookie, from: "$cookie_jsessionid", match: '^.+\.(?<route>\w+)$', value: "$route" }
            sticky: { route: { from: ["$route_cookie"] } }
            """));
        await using var process = await StickyProcess.ServeAsync(manifests);

        Assert.All(await AskAsync(process, "/shop", "JSESSIONID=1234.b", 9), answer => Assert.Equal("b", answer));
        Assert.All(await AskAsync(process, "/shop", "JSESSIONID=5678.c", 9), answer => Assert.Equal("c", answer));
    }

    [Fact]
    public async Task A_learnt_session_stays_where_it_was_made()
    {
        await using var servers = await Backends.StartAsync(
            ["a", "b", "c"], (context, name) => context.Response.Headers.SetCookie = context.Request.Query["login"] is [{ } id] ? $"sid={id}" : "");
        using var manifests = With(Upstream("shop", servers.Addresses, """
            sticky: { learn: { create: ["$upstream_cookie_sid"], lookup: ["$cookie_sid"], zone: { name: z, size: 64k } } }
            """));
        await using var process = await StickyProcess.ServeAsync(manifests);

        var peer = await process.GetAsync("/shop?login=alice");
        var bound = await AskAsync(process, "/shop", "sid=alice", 9);
        var session = (await process.ApiAsync("sessions/default/shop?key=alice")).GetProperty("session");

        Assert.All(bound, answer => Assert.Equal(peer, answer));
        Assert.True(session.GetProperty("known").GetBoolean());
        Assert.Equal(1, await process.MetricAsync("stickyingress_session_table_entries{namespace=\"default\",zone=\"z\"}"));
    }

    private static async Task<List<string>> AskAsync(StickyProcess process, string target, string? cookie, int times)
    {
        var answers = new List<string>();
        for (var i = 0; i < times; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, target);
            if (cookie is not null) request.Headers.Add("Cookie", cookie);
            using var response = await process.Client.SendAsync(request, Stop);
            answers.Add(await response.Content.ReadAsStringAsync(Stop));
        }

        return answers;
    }
}
