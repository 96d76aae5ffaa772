using System.Text.Json;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests.Admin;

/// <summary>The numbers of bound sessions that the admin port tells, and how exact it says they are.</summary>
public sealed class SessionCountTests
{
    [Theory]
    [InlineData("cookie: { name: srv }", "1, estimated: true")]
    [InlineData("learn: { create: [$arg_id], lookup: [$arg_id], maxSessions: 9 }", "1, estimated: false")]
    [InlineData("route: { from: [$arg_id] }", "")]
    public async Task A_count_says_whether_it_is_an_estimate_and_is_absent_where_nothing_is_counted(string mode, string expected)
    {
        await using var servers = await Backends.StartAsync("a");
        using var manifests = With(Upstream("u", servers.Addresses, $"sticky: {{ {mode} }}"));
        await using var process = await StickyProcess.ServeAsync(manifests);
        using (await process.Client.GetAsync("/u?id=1", TestContext.Current.CancellationToken))
        {
        }

        var upstream = await ReadAsync(process, "/api/v1/upstreams/default/u");
        var peer = await ReadAsync(process, $"/api/v1/upstreams/default/u/peers/{servers[0].Address}");
        var zone = await ReadAsync(process, "/api/v1/sessions/default/u");

        Assert.Equal(expected, Counts(upstream.GetProperty("peers")[0], "sessions"));
        Assert.Equal(expected, Counts(peer, "sessions"));
        Assert.Equal(expected, Counts(zone, "peers"));
    }

    private static async Task<JsonElement> ReadAsync(StickyProcess process, string path) =>
        JsonElement.Parse(await process.Admin.GetStringAsync(path, TestContext.Current.CancellationToken));

    /// <summary>The count, of whichever peer, and what is said of it.</summary>
    private static string Counts(JsonElement model, string property)
    {
        var count = model.TryGetProperty(property, out var value) ? value : default;
        if (count.ValueKind == JsonValueKind.Object) count = count.EnumerateObject().Single().Value;
        var estimated = model.TryGetProperty("sessionsEstimated", out var said) ? $", estimated: {said.GetRawText()}" : "";
        return count + estimated;
    }
}
