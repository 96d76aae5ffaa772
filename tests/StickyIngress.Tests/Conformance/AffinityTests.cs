using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace StickyIngress.Tests.Conformance;

/// <summary>sticky_picks.json, learn.json and sid.json.</summary>
[Collection(Recordings.Name)]
public sealed class AffinityTests
{
    [Fact]
    public async Task Bound_requests_change_the_order_of_the_others_as_in_nginx()
    {
        var cases = Testing.Vectors.Load("sticky_picks.json").Items("cases");
        await using var replay = await Replay.StartAsync("sticky_picks.json", cases.Select((one, i) => Replay.Upstream(
            $"case-{i}", Servers(one), $"sticky: {{ route: {{ from: [$arg_r] }} }}\n{Replay.Balancing(one.Text("method"))}")));

        await Parallel.ForEachAsync(cases.Index(), TestContext.Current.CancellationToken, async (one, _) =>
        {
            foreach (var (i, (hint, pick)) in one.Item.Items("hints").Zip(one.Item.Numbers("picks")).Index())
                replay.Compare($"{one.Item.Text("name")} {i}", $"{pick}", (await replay.AskAsync($"/case-{one.Index}?k=key{i}&r={Route(hint)}")).Servers);
        });

        replay.End(cases.Sum(one => one.Numbers("picks").Length));
    }

    [Fact]
    public async Task Learnt_sessions_go_where_nginx_sent_them()
    {
        var cases = Testing.Vectors.Load("learn.json").Items("cases");
        await using var replay = await Replay.StartAsync("learn.json", cases.Select((one, i) => Replay.Upstream(
            $"case-{i}", Servers(one), Learn(one.Text("sticky").Split(' '), i) + "\n" + Replay.Balancing(one.Text("method")), "error http_404 http_502")));

        await Parallel.ForEachAsync(cases.Index(), TestContext.Current.CancellationToken, async (one, _) =>
        {
            foreach (var (i, request) in one.Item.Items("requests").Index())
            {
                var failing = request.Numbers("failing_404").Select(server => $"{server}=404").Concat(request.Numbers("failing_502").Select(server => $"{server}=502"));
                var answer = await replay.AskAsync($"/case-{one.Index}?{(request.Text("arg_sid") is { Length: > 0 } sid ? "sid=" + sid : "")}", headers:
                [
                    ("Cookie", request.TryGetProperty("cookie_sid", out var cookie) ? $"sid={cookie}" : null),
                    (RecordedServers.Failing, string.Join(',', failing)),
                    (RecordedServers.Session, request.TryGetProperty("response_sid", out var session) ? session.GetString() : null),
                ]);
                replay.Compare(
                    $"{one.Item.Text("name")} {i}", $"{request.GetProperty("client_status")} {string.Join(' ', request.Numbers("tried"))}", $"{answer.Status} {answer.Servers}");
            }
        });

        replay.End(cases.Sum(one => one.Items("requests").Length));
    }

    [Fact]
    public async Task Peers_have_the_ids_that_nginx_gave_them()
    {
        var servers = Testing.Vectors.Load("sid.json").Items("entries").GroupBy(entry => (Server: entry.Text("server"), Route: entry.Text("route"))).ToArray();
        await using var replay = await Replay.StartAsync("sid.json", servers.Select((server, i) => Replay.Upstream(
            $"server-{i}",
            [$"{server.Key.Server}, maxFails: 0{(server.Key.Route.Length > 0 ? $", route: \"{server.Key.Route}\"" : "")}"],
            "sticky: { cookie: { name: sid, value: NginxSid, issue: Always } }", "off")));

        await Parallel.ForEachAsync(servers.Index(), TestContext.Current.CancellationToken, async (server, _) =>
        {
            // A name with two addresses is two peers, which take turns.
            var told = new List<string>();
            for (var asked = 0; asked < server.Item.Count(); asked++)
            {
                var answer = await replay.AskAsync($"/server-{server.Index}");
                told.Add($"{answer.Tried} {string.Join(' ', answer.Cookies.Select(cookie => cookie.Split(';')[0]))}");
            }

            foreach (var (recorded, answered) in server.Item.Select(entry => $"{entry.Text("peer_name")} sid={entry.Text("sid")}").Order().Zip(told.Order()))
                replay.Compare(server.Item.Key.Server, recorded, answered);
        });

        replay.End(servers.Sum(server => server.Count()), "where nobody can listen the id is read from the answer 502");
    }

    private static IEnumerable<string> Servers(JsonElement recorded) =>
        recorded.Numbers("weights").Select((weight, i) => Replay.Server(RecordedServers.Listening(i), "max_fails=0", weight));

    private static string Learn(string[] words, int number)
    {
        string Variables(string parameter) =>
            string.Join(", ", words.Where(word => word.StartsWith(parameter + "=", StringComparison.Ordinal)).Select(word => word[(parameter.Length + 1)..]));

        return $"sticky: {{ learn: {{ create: [{Variables("create")}], lookup: [{Variables("lookup")}], zone: {{ name: zone-{number}, size: 1m }}, timeout: 1h"
            + $"{(words.Contains("header") ? ", header: true" : "")} }} }}";
    }

    /// <summary>Without route= a server is named by the MD5 of its address.</summary>
#pragma warning disable CA5351 // nginx's choice
    private static string Route(JsonElement hint) => hint.ValueKind switch
    {
        JsonValueKind.Null => "",
        JsonValueKind.Number => Convert.ToHexStringLower(MD5.HashData(Encoding.ASCII.GetBytes(RecordedServers.Listening(hint.GetInt32())))),
        _ => hint.GetString()!,
    };
#pragma warning restore CA5351
}
