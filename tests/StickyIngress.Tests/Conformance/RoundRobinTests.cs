using System.Text.Json;

namespace StickyIngress.Tests.Conformance;

/// <summary>wrr.json.</summary>
[Collection(Recordings.Name)]
public sealed class RoundRobinTests
{
    private static readonly JsonElement Vectors = Testing.Vectors.Load("wrr.json");
    private static readonly JsonElement[] Cases = Vectors.Items("cases");
    private static readonly JsonElement[] FailureCases = Vectors.Items("failure_cases");

    [Fact]
    public async Task Requests_go_where_nginx_sent_them()
    {
        await using var replay = await Replay.StartAsync("wrr.json", Cases.Select((one, i) => Upstream($"case-{i}", one)).Concat(FailureCases.Select((one, i) => Upstream($"fail-{i}", one))));

        await Parallel.ForEachAsync(Cases.Index(), TestContext.Current.CancellationToken, async (one, _) =>
        {
            foreach (var (i, pick) in one.Item.Numbers("picks").Index())
                replay.Compare($"{one.Item.Text("name")} {i}", $"{pick}", (await replay.AskAsync($"/case-{one.Index}")).Servers);
        });
        await Parallel.ForEachAsync(FailureCases.Index(), TestContext.Current.CancellationToken, async (one, _) =>
        {
            foreach (var (i, request) in one.Item.Items("requests").Index())
                await CompareAsync(replay, one.Item, $"fail-{one.Index}", i, request);
        });

        replay.End(
            Cases.Sum(one => one.GetProperty("picks").GetArrayLength()) + FailureCases.Sum(one => one.GetProperty("requests").GetArrayLength()),
            "weights over 65535, where ours end, are brought down to it in proportion");
    }

    private static async Task CompareAsync(Replay replay, JsonElement recorded, string upstream, int number, JsonElement request)
    {
        var status = recorded.TryGetProperty("failing_status", out var given) ? given.GetInt32() : 0;
        var answer = await replay.AskAsync($"/{upstream}", headers:
            (RecordedServers.Failing, string.Join(',', request.Numbers("failing").Select(server => $"{server}={status}"))));

        var tried = string.Join(' ', request.Items("tried").Select(server => server.ToString())).Replace("<upstream name>", upstream, StringComparison.Ordinal);
        replay.Compare(
            $"{recorded.Text("name")} {number}",
            $"{request.GetProperty("client_status")} {tried} [{string.Join(", ", request.Numbers("statuses"))}]",
            $"{answer.Status} {answer.Servers} [{answer.Statuses}]");
    }

    private static string Upstream(string name, JsonElement recorded)
    {
        var servers = recorded.Items("servers");
        var heaviest = servers.Max(server => server.GetProperty("weight").GetInt32());
        return Replay.Upstream(
            name,
            servers.Select((server, i) => Replay.Server(
                server.Is("connection_refused") ? RecordedServers.Refusing(i) : RecordedServers.Listening(i), server.Text("flags"), Weight(server, heaviest))),
            nextUpstream: recorded.Text("next_upstream", "error timeout"));
    }

    private static int Weight(JsonElement server, int heaviest)
    {
        var weight = server.GetProperty("weight").GetInt32();
        return heaviest <= ushort.MaxValue ? weight : Math.Max(1, (int)((long)weight * ushort.MaxValue / heaviest));
    }
}
