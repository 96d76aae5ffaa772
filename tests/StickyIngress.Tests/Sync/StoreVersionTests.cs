using StickyIngress.Testing;

namespace StickyIngress.Tests.Sync;

/// <summary>Replicas beside a later version on one store: that version's records, announcements and changes of peers, as a script writes them.</summary>
public sealed class StoreVersionTests
{
    /// <summary>Turns every session's record into one of version 2; answers how many it found.</summary>
    private const string Rewrite =
        """EVAL "local all = redis.call('KEYS', 'sticky-ingress:*:*') for _, key in ipairs(all) do redis.call('SET', key, '\\2\\7later') end return #all" 0""";

    /// <summary>How many records are of another version than 2.</summary>
    private const string CountOurs =
        """EVAL "local n = 0 for _, key in ipairs(redis.call('KEYS', 'sticky-ingress:*:*')) do if redis.call('GET', key) ~= '\\2\\7later' then n = n + 1 end end return n" 0""";

    private static readonly string[] Sessions = [.. Enumerable.Range(0, 20).Select(i => $"s{i}")];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Records_of_a_later_version_are_left_alone_and_no_request_fails_or_moves()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        await using var redis = await RedisServer.StartAsync();
        await using var replicas = await Replicas.StartAsync(2, servers.Addresses, "redis://" + redis.Address);
        await replicas.ConnectedAsync();
        foreach (var session in Sessions) await replicas.AskAsync(session);
        foreach (var session in Sessions) await AgreedAsync(replicas, session);

        await using var load = new SyncLoad(replicas, Sessions);
        await load.AnswersAsync(200);
        for (var i = 0; i < 20; i++)
        {
            await redis.SayAsync(Rewrite, Stop);
            await redis.SayAsync("PUBLISH sticky-ingress:bindings \"\\x02 something later\"", Stop);
            await load.AnswersAsync(20);
        }

        await load.EndAsync();
        Assert.Empty(load.Failures);
        Assert.True(await replicas.AreConnectedAsync(true));
        Assert.True(await replicas[0].MetricAsync("stickyingress_session_sync_operations_total{operation=\"hear\",outcome=\"unknown\"}") >= 20);
    }

    [Fact]
    public async Task A_replica_binds_by_itself_what_the_store_has_in_a_later_version_and_does_not_write_over_it()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        await using var redis = await RedisServer.StartAsync();
        await using var replicas = await Replicas.StartAsync(1, servers.Addresses, "redis://" + redis.Address, "--sync-read-budget", "1s");
        await replicas.ConnectedAsync();
        foreach (var session in Sessions) await replicas.AskAsync(session);
        await Eventually.HoldsAsync(async () => await replicas[0].MetricAsync("stickyingress_session_sync_pending") == 0, "all is written", Stop);
        Assert.Equal($":{Sessions.Length}", await redis.SayAsync(Rewrite, Stop));

        await replicas.AddAsync("redis://" + redis.Address, "--sync-read-budget", "1s");
        foreach (var session in Sessions)
        {
            var first = await Replicas.AskAsync(replicas[1], session);
            Assert.Equal(first, await Replicas.AskAsync(replicas[1], session));
        }

        await Eventually.HoldsAsync(async () => await replicas[1].MetricAsync("stickyingress_session_sync_pending") == 0, "all is offered", Stop);
        Assert.Equal(Sessions.Length, await replicas[1].MetricAsync("stickyingress_session_sync_operations_total{operation=\"read\",outcome=\"unknown\"}"));
        Assert.Equal(":0", await redis.SayAsync(CountOurs, Stop));
    }

    [Fact]
    public async Task Changes_of_peers_with_fields_that_are_not_known_are_left_alone()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        await using var redis = await RedisServer.StartAsync();
        var field = $"""["default","u","{servers[0].Address}","{servers[0].Address}","{servers[0].Address}"]""".Replace("\"", "\\\"", StringComparison.Ordinal);
        await redis.SayAsync($"HSET sticky-ingress:peers \"{field}\" \"{{\\\"drain\\\":true,\\\"later\\\":1}}\"", Stop);
        await using var replicas = await Replicas.StartAsync(1, servers.Addresses, "redis://" + redis.Address, "--sync-peers", "true");
        await replicas.ConnectedAsync();

        await replicas.AskAsync("one");

        Assert.Equal(":1", await redis.SayAsync("HLEN sticky-ingress:peers", Stop));
        Assert.Equal("available", (await replicas[0].ApiAsync($"upstreams/default/u/peers/{servers[0].Address}")).GetProperty("state").GetString());
    }

    private static Task AgreedAsync(Replicas replicas, string session) => Eventually.HoldsAsync(
        async () => await replicas.PeersAsync(session) is [{ } one, { } two] && one == two, $"both replicas have {session} at one server", Stop);
}
