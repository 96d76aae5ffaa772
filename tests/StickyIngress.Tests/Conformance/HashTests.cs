using System.Text.Json;

namespace StickyIngress.Tests.Conformance;

/// <summary>hash.json, ketama.json, ip_hash.json and hash_retry.json.</summary>
[Collection(Recordings.Name)]
public sealed class HashTests
{
    private const string Key = "X-Key";
    private const string Client = "X-Forwarded-For";

    private static readonly string[] TrustClients = ["--trusted-proxies", "127.0.0.1"];

    [Fact]
    public async Task Keys_go_where_nginx_sent_them()
    {
        var recorded = Testing.Vectors.Load("hash.json");
        var sets = recorded.Items("sets");
        await using var replay = await Replay.StartAsync("hash.json", sets.Select((set, i) => Weighted($"set-{i}", set, "hash $http_x_key")));

        await PicksAsync(replay, recorded, sets, (_, answer) => answer.Servers);

        replay.End(sets.Sum(set => set.Numbers("picks").Length) + Empty(recorded).Sum(one => one.Picks.Length));
    }

    [Fact]
    public async Task Consistent_keys_go_where_nginx_sent_them()
    {
        var recorded = Testing.Vectors.Load("ketama.json");
        var sets = recorded.Items("sets");
        await using var replay = await Replay.StartAsync("ketama.json", sets.Select((set, i) => Consistent($"set-{i}", set)));

        await PicksAsync(replay, recorded, sets, Picked);

        replay.End(
            sets.Sum(set => set.Numbers("picks").Length) + Empty(recorded).Sum(one => one.Picks.Length),
            "where nobody can listen (port 80, /tmp/backend3) the server is read from the try that was refused");
    }

    [Fact]
    public async Task Addresses_go_where_nginx_sent_them()
    {
        var recorded = Testing.Vectors.Load("ip_hash.json");
        var sets = recorded.Items("sets");
        await using var replay = await Replay.StartAsync("ip_hash.json", sets.Select((set, i) => Weighted($"set-{i}", set, "ip_hash")), TrustClients);

        await Parallel.ForEachAsync(sets.Index(), TestContext.Current.CancellationToken, async (set, _) =>
        {
            foreach (var list in new[] { "ipv4", "ipv6" })
            {
                foreach (var (address, pick) in recorded.Items(list).Zip(set.Item.Numbers(list + "_picks")))
                {
                    var answer = await replay.AskAsync($"/set-{set.Index}", headers: (Client, address.GetString()));
                    replay.Compare($"{set.Item.Text("name")} {address}", $"{pick}", answer.Servers);
                }
            }
        });

        replay.End(sets.Sum(set => set.Numbers("ipv4_picks").Length + set.Numbers("ipv6_picks").Length));
    }

    [Theory]
    [InlineData("hash $http_x_key", "keys", "hash_tried", Key)]
    [InlineData("hash $http_x_key consistent", "keys", "hash_consistent_tried", Key)]
    [InlineData("ip_hash", "ipv4", "ip_hash_tried", Client)]
    public async Task A_retry_goes_on_as_nginx_did(string method, string inputs, string expected, string header)
    {
        var recorded = Testing.Vectors.Load("hash_retry.json");
        var servers = recorded.Items("servers").Select(server => server.GetString()!.Split(' ', 2)).Select(parts => Replay.Server(parts[0], parts.ElementAtOrDefault(1) ?? ""));
        await using var replay = await Replay.StartAsync("hash_retry.json", [Replay.Upstream("u", servers, Replay.Balancing(method))], TrustClients);

        foreach (var (input, tried) in recorded.Items(inputs).Zip(recorded.Items(expected)))
            replay.Compare($"{method} {input}", string.Join(' ', tried.Deserialize<int[]>()!), (await replay.AskAsync("/u", headers: (header, input.GetString()))).Servers);

        replay.End(recorded.Items(expected).Length, expected);
    }

    private static async Task PicksAsync(Replay replay, JsonElement recorded, JsonElement[] sets, Func<JsonElement, Answer, string> picked)
    {
        await Parallel.ForEachAsync(sets.Index(), TestContext.Current.CancellationToken, async (set, _) =>
        {
            foreach (var (key, pick) in recorded.Items("keys").Zip(set.Item.Numbers("picks")))
            {
                var answer = await replay.AskAsync($"/set-{set.Index}", headers: (Key, key.GetString()));
                replay.Compare($"{set.Item.Text("name")} {key}", $"{pick}", picked(set.Item, answer));
            }
        });
        foreach (var (name, picks) in Empty(recorded))
        {
            var number = Array.FindIndex(sets, set => set.Text("name") == name);
            foreach (var pick in picks)
                replay.Compare($"{name} without a key", $"{pick}", picked(sets[number], await replay.AskAsync($"/set-{number}")));
        }
    }

    private static IEnumerable<(string Set, int[] Picks)> Empty(JsonElement recorded) => recorded.GetProperty("empty_key_picks").EnumerateObject()
        .Where(property => property.Value.ValueKind == JsonValueKind.Array).Select(property => (property.Name, property.Value.Deserialize<int[]>()!));

    /// <summary>The position of the server that was picked; of two at one address the first, as recorded.</summary>
    private static string Picked(JsonElement set, Answer answer)
    {
        var places = set.Items("servers").Select(server => server.GetString()!.Split(' ')[0] switch
        {
            "host-without-port" => "127.0.0.3:80",
            var named when named.StartsWith("localhost4:", StringComparison.OrdinalIgnoreCase) => "127.0.0.1:" + named["localhost4:".Length..],
            "127.0.0.2" => "127.0.0.2:80",
            "[::1]" => "[::1]:80",
            var place => place,
        }).ToList();
        return $"{places.IndexOf(answer.Tried)}";
    }

    private static string Consistent(string name, JsonElement set) => Replay.Upstream(
        name,
        set.Items("servers").Select(server => server.GetString()!.Split(' ', 2)).Select(parts => Replay.Server(parts[0], $"max_fails=0 {parts.ElementAtOrDefault(1)}")),
        Replay.Balancing("hash $http_x_key consistent"), "off");

    private static string Weighted(string name, JsonElement set, string method) => Replay.Upstream(
        name,
        set.Items("servers").Select((server, i) => Replay.Server(RecordedServers.Listening(i), server.Text("flags"), server.GetProperty("weight").GetInt32())),
        Replay.Balancing(method));
}
