using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using StickyIngress.Admin;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests.Admin;

/// <summary>PATCH of a peer on the admin port, seen by clients of the proxy, and over a restart.</summary>
public sealed class PeerChangesTests : IDisposable
{
    private const string Cookie = "sticky: { cookie: { name: c, value: NginxSid } }";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("state-");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string State => Path.Combine(_folder.FullName, "state");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_peer_set_to_drain_keeps_its_clients_and_gets_no_new_ones()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var manifests = With(Upstream("u", servers.Addresses, Cookie));
        await using var process = await StickyProcess.ServeAsync(manifests);
        var bound = await CookieOfAsync(process, "a");

        var (status, peer) = await PatchAsync(process, servers[0].Address, """{ "drain": true }""");

        Assert.Equal((HttpStatusCode.OK, "draining"), (status, peer.GetProperty("state").GetString()));
        Assert.Equal((await process.ApiAsync($"upstreams/default/u/peers/{servers[0].Address}")).GetRawText(), peer.GetRawText());
        Assert.Equal("a", await AskAsync(process, bound));
        Assert.Equal(["b", "b", "b", "b"], await AskAsync(process, 4));
    }

    [Fact]
    public async Task Weights_down_and_the_way_back()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var manifests = With(Upstream("u", servers.Addresses));
        await using var process = await StickyProcess.ServeAsync(manifests);

        var (_, heavy) = await PatchAsync(process, "s0", """{ "weight": 3 }""");
        Assert.Equal(["a", "a", "a", "b"], (await AskAsync(process, 4)).Order());
        Assert.Equal("""{"weight":3}""", Compact(heavy.GetProperty("overrides")));

        await PatchAsync(process, servers[0].Address, """{ "down": true }""");
        Assert.Equal(["b", "b"], await AskAsync(process, 2));

        var (_, back) = await PatchAsync(process, servers[0].Address, """{ "down": null, "weight": null }""");
        Assert.Equal(["a", "a", "b", "b"], (await AskAsync(process, 4)).Order());
        Assert.False(back.TryGetProperty("overrides", out _));
    }

    [Fact]
    public async Task What_was_set_holds_when_other_peers_and_the_spec_change()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        using var manifests = With(Upstream("u", servers.Addresses.Take(2)));
        await using var process = await StickyProcess.ServeAsync(manifests);
        await PatchAsync(process, servers[0].Address, """{ "down": true }""");

        manifests.Replace("upstreams.yaml", Upstream("u", servers.Addresses, "queue: { size: 1 }"));
        await Eventually.HoldsAsync(async () => (await process.ApiAsync("upstreams/default/u")).GetProperty("peers").GetArrayLength() == 3, "three peers", Stop);

        Assert.Equal(["b", "b", "c", "c"], (await AskAsync(process, 4)).Order());
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public async Task What_was_set_survives_the_end_of_the_process(string signal)
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        using var manifests = With(Upstream("u", servers.Addresses));
        await using (var first = await ServeAsync(manifests))
        {
            await PatchAsync(first, servers[0].Address, """{ "drain": true }""");
            await PatchAsync(first, servers[1].Address, """{ "down": true, "weight": 9 }""");
            first.Signal(signal);
            await first.ExitAsync();
        }

        await using var second = await ServeAsync(manifests);

        Assert.Equal(["c", "c", "c"], await AskAsync(second, 3));
        Assert.Equal(1, await second.MetricAsync("stickyingress_state_file_current"));
        var peers = (await second.ApiAsync("upstreams/default/u")).GetProperty("peers").EnumerateArray();
        Assert.Equal(["""{"drain":true}""", """{"down":true,"weight":9}""", "none"],
            peers.Select(peer => peer.TryGetProperty("overrides", out var set) ? Compact(set) : "none"));
    }

    [Theory]
    [InlineData("somebody else's", "is not a state file")]
    [InlineData("stickyingress-state 1 100 0\n{", "has not the length that its first line says")]
    public async Task A_file_that_cannot_be_used_is_left_alone_and_all_else_works(string content, string message)
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var manifests = With(Upstream("u", servers.Addresses));
        await File.WriteAllTextAsync(State, content, Stop);
        await using var process = await ServeAsync(manifests);
        await process.LogsAsync(message);

        await PatchAsync(process, servers[0].Address, """{ "down": true }""");

        Assert.Equal(["b", "b"], await AskAsync(process, 2));
        Assert.Equal(0, await process.MetricAsync("stickyingress_state_file_current"));
        Assert.Equal(content, await File.ReadAllTextAsync(State, Stop));

        File.Delete(State);
        await PatchAsync(process, servers[0].Address, """{ "drain": true }""");

        Assert.Equal(1, await process.MetricAsync("stickyingress_state_file_current"));
        Assert.Contains("\"down\":true,\"drain\":true", await File.ReadAllTextAsync(State, Stop), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "the body is []; it must be an object with down, drain or weight")]
    [InlineData("""{ "down": "yes" }""", "down is \"yes\"; it must be true, false, or null for the configured value")]
    [InlineData("""{ "drain": 1 }""", "drain is 1; it must be true, false, or null for the configured value")]
    [InlineData("""{ "weight": 0 }""", "weight is 0; it must be a whole number from 1 to 65535, or null for the configured value")]
    [InlineData("""{ "weight": 1.5 }""", "weight is 1.5; it must be a whole number from 1 to 65535, or null for the configured value")]
    [InlineData("""{ "weight": 65536 }""", "weight is 65536; it must be a whole number from 1 to 65535, or null for the configured value")]
    [InlineData("""{ "down": true, "maxConns": 5 }""", "maxConns is 5; only down, drain and weight can be changed")]
    [InlineData("""{ "down": true, "down": false }""", "the body is not JSON: ")]
    [InlineData("""{ "\ud800": 1 }""", "the body is not JSON: ")]
    [InlineData("""{ "down": true""", "the body is not JSON: ")]
    [InlineData("", "the body is not JSON: ")]
    public async Task A_body_that_makes_no_sense_is_told_and_changes_nothing(string body, string expected)
    {
        await using var servers = await Backends.StartAsync("a");
        using var manifests = With(Upstream("u", servers.Addresses));
        await using var process = await StickyProcess.ServeAsync(manifests);

        var (status, answer) = await PatchAsync(process, servers[0].Address, body);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.StartsWith(expected, answer.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.False((await process.ApiAsync($"upstreams/default/u/peers/{servers[0].Address}")).TryGetProperty("overrides", out _));
    }

    [Theory]
    [InlineData("default/v/peers/127.0.0.1:1", "application/json", null, HttpStatusCode.NotFound, "there is no upstream default/v")]
    [InlineData("default/u/peers/127.0.0.1:1", "application/json", null, HttpStatusCode.NotFound, "upstream default/u has no peer 127.0.0.1:1")]
    [InlineData("default/u/peers/s", "text/plain", null, HttpStatusCode.UnsupportedMediaType,
        "Content-Type is \"text/plain\"; it must be application/merge-patch+json or application/json")]
    [InlineData("default/u/peers/s", "application/json", "http://localhost", HttpStatusCode.Forbidden, "peers are not changed by pages in a browser")]
    public async Task A_request_that_cannot_be_met_is_told_why(string path, string type, string? origin, HttpStatusCode expected, string error)
    {
        await using var servers = await Backends.StartAsync("a");
        using var manifests = With(Upstream("u", servers.Addresses));
        await using var process = await StickyProcess.ServeAsync(manifests);
        using var request = new HttpRequestMessage(HttpMethod.Patch, "/api/v1/upstreams/" + path.Replace("/s", "/" + servers[0].Address, StringComparison.Ordinal));
        request.Content = new StringContent("{}", Encoding.UTF8, new MediaTypeHeaderValue(type));
        if (origin is not null) request.Headers.Add("Origin", origin);

        using var response = await process.Admin.SendAsync(request, Stop);

        Assert.Equal(expected, response.StatusCode);
        Assert.Equal(error, (await JsonAsync(response)).GetProperty("error").GetString());
    }

    [Fact]
    public async Task A_body_that_is_too_long_is_refused()
    {
        await using var servers = await Backends.StartAsync("a");
        using var manifests = With(Upstream("u", servers.Addresses));
        await using var process = await StickyProcess.ServeAsync(manifests);

        var (status, _) = await PatchAsync(process, servers[0].Address, new string(' ', 70_000) + "{}");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
    }

    [Fact]
    public async Task A_peer_with_slashes_in_its_name_is_found()
    {
        var socket = Path.Combine(_folder.FullName, "s");
        using var manifests = With(Upstream("u", [$"unix:{socket}", "127.0.0.1:1"]));
        await using var process = await StickyProcess.ServeAsync(manifests);

        var (plain, _) = await PatchAsync(process, $"unix:{socket}", """{ "weight": 2 }""");
        var (encoded, peer) = await PatchAsync(process, Uri.EscapeDataString($"unix:{socket}"), """{ "drain": true }""");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (plain, encoded));
        Assert.Equal("""{"drain":true,"weight":2}""", Compact(peer.GetProperty("overrides")));
    }

    [Theory]
    [InlineData("127.0.0.1", "", true)]
    [InlineData("::1", "", true)]
    [InlineData("::ffff:127.0.0.1", "", true)]
    [InlineData("10.1.2.3", "", false)]
    [InlineData("10.1.2.3", "10.0.0.0/8", true)]
    [InlineData("::ffff:10.1.2.3", "10.0.0.0/8", true)]
    [InlineData("11.1.2.3", "10.0.0.0/8", false)]
    public void Only_this_machine_may_change_peers_and_who_is_allowed_to(string client, string allowed, bool may)
    {
        var context = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse(client) } };

        var refusal = PeerEndpoint.Refusal(context, allowed.Length == 0 ? [] : [IPNetwork.Parse(allowed)]);

        Assert.Equal(may, refusal is null);
    }

    private Task<StickyProcess> ServeAsync(Manifests manifests) => StickyProcess.ServeAsync(manifests, "--state", State);

    private static async Task<(HttpStatusCode Status, JsonElement Answer)> PatchAsync(StickyProcess process, string peer, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/merge-patch+json");
        using var response = await process.Admin.PatchAsync($"/api/v1/upstreams/default/u/peers/{peer}", content, Stop);
        return (response.StatusCode, await JsonAsync(response));
    }

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage response)
    {
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Stop));
        return document.RootElement.Clone();
    }

    private static async Task<string[]> AskAsync(StickyProcess process, int times)
    {
        var answers = new string[times];
        for (var i = 0; i < times; i++) answers[i] = await process.GetAsync("/u");
        return answers;
    }

    private static async Task<string> AskAsync(StickyProcess process, string cookie)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/u") { Headers = { { "Cookie", cookie } } };
        using var response = await process.Client.SendAsync(request, Stop);
        return await response.Content.ReadAsStringAsync(Stop);
    }

    /// <summary>The cookie of a client that came to that server.</summary>
    private static async Task<string> CookieOfAsync(StickyProcess process, string server)
    {
        while (true)
        {
            using var response = await process.Client.GetAsync("/u", Stop);
            if (await response.Content.ReadAsStringAsync(Stop) == server) return response.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        }
    }

    private static string Compact(JsonElement element) => JsonSerializer.Serialize(element);
}
