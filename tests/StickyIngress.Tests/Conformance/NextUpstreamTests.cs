using System.Text.Json;
using StickyIngress.Testing;

namespace StickyIngress.Tests.Conformance;

/// <summary>next_upstream.json: each row is an upstream of its own, with the server that has the fault first.</summary>
[Collection(Recordings.Name)]
public sealed class NextUpstreamTests
{
    [Fact]
    public async Task Requests_go_to_the_next_peer_when_nginx_sent_them_there()
    {
        var rows = Vectors.Load("next_upstream.json").Items("rows");
        await using var servers = new Faults();
        foreach (var condition in rows.Select(row => row.Text("condition")).Distinct()) await servers.AddAsync(condition);
        var good = RecordedServers.Listening(0);
        await using var replay = await Replay.StartAsync("next_upstream.json", rows.Select((row, i) => Replay.Upstream(
            $"row-{i}", [Replay.Server(servers.Address(row), "fail_timeout=60s"), good], nextUpstream: row.Text("proxy_next_upstream"), readTimeout: "1s")), "--access-log", "$uri $status|$upstream_addr|$upstream_status");

        await Parallel.ForEachAsync(rows.Index(), new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = TestContext.Current.CancellationToken }, async (row, _) =>
        {
            var status = await StatusAsync(replay, $"/row-{row.Index}", row.Item.Text("method"));
            Assert.Contains(status, (int?[])[row.Item.GetProperty("client_status").GetInt32(), null]);
        });
        await Eventually.HoldsAsync(() => replay.Process.Output.Count == rows.Length, "every request is logged", TestContext.Current.CancellationToken);
        var logged = replay.Process.Output.Select(line => line.Split(' ', 2)).ToDictionary(parts => parts[0], parts => parts[1].Split('|'));
        var failed = await FailedAsync(replay);

        foreach (var (i, row) in rows.Index())
        {
            var recorded = string.Join(", ", row.Items("tried").Select(server => server.GetString() == "good" ? good : servers.Address(row)));
            var (status, tried, statuses) = (logged[$"/row-{i}"][0], logged[$"/row-{i}"][1], logged[$"/row-{i}"][2]);
            replay.Compare(
                $"{row.Text("method")} {row.Text("condition")} {row.Text("proxy_next_upstream")}",
                $"{row.GetProperty("client_status")} [{recorded}] [{string.Join(", ", row.Numbers("statuses"))}] counted: {row.Is("counted_as_failure")}",
                $"{status} [{tried}] [{statuses}] counted: {failed[$"row-{i}"]}");
        }

        replay.End(rows.Length);
    }

    /// <summary>The status that the client saw; null where a response that broke off was reset before it could be read.</summary>
    private static async Task<int?> StatusAsync(Replay replay, string target, string method)
    {
        try
        {
            return (await replay.AskAsync(target, method)).Status;
        }
        catch (HttpRequestException e) when (e.InnerException is IOException)
        {
            return null;
        }
    }

    /// <summary>Whether the first peer of each upstream has a failure counted against it.</summary>
    private static async Task<Dictionary<string, bool>> FailedAsync(Replay replay) =>
        (await replay.Process.ApiAsync("upstreams")).EnumerateArray().ToDictionary(
            upstream => upstream.Text("name"), upstream => upstream.Items("peers")[0].GetProperty("fails").GetInt32() > 0);

    /// <summary>A server for each fault.</summary>
    private sealed class Faults : IAsyncDisposable
    {
        private readonly Dictionary<string, BadServer> _servers = [];

        public async Task AddAsync(string condition) => _servers[condition] = await BadServer.StartAsync(condition);

        public string Address(JsonElement row) => _servers[row.Text("condition")].EndPoint.ToString();

        public async ValueTask DisposeAsync()
        {
            foreach (var server in _servers.Values) await server.DisposeAsync();
        }
    }
}
