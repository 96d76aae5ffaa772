using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests.Sync;

/// <summary>Replicas of the executable that share what they learn through a real server.</summary>
public sealed class SyncTests
{
    /// <summary>For a machine that does much else.</summary>
    private static readonly string[] Patient = ["--sync-read-budget", "1s"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_learned_on_one_replica_is_known_on_the_others()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        await using var redis = await RedisServer.StartAsync();
        await using var replicas = await Replicas.StartAsync(3, servers.Addresses, "redis://" + redis.Address, Patient);

        foreach (var session in Enumerable.Range(0, 30).Select(i => $"s{i}"))
        {
            var first = await Replicas.AskAsync(replicas[0], session);
            await Eventually.HoldsAsync(async () => (await replicas.PeersAsync(session)).Distinct().Count() == 1, "all replicas know it", Stop);
            Assert.Equal([first, first], [await Replicas.AskAsync(replicas[1], session), await Replicas.AskAsync(replicas[2], session)]);
        }
    }

    [Fact]
    public async Task First_requests_of_one_session_on_all_replicas_at_once_end_on_one_server()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        await using var redis = await RedisServer.StartAsync();
        await using var replicas = await Replicas.StartAsync(2, servers.Addresses, "redis://" + redis.Address, Patient);

        var sessions = Enumerable.Range(0, 20).Select(i => $"s{i}").ToArray();
        await Task.WhenAll(sessions.SelectMany(session => Enumerable.Range(0, 6).Select(_ => replicas.AskAsync(session))));

        foreach (var session in sessions)
        {
            await Eventually.HoldsAsync(async () => (await replicas.PeersAsync(session)).Distinct().Count() == 1, "both replicas agree", Stop);
            Assert.Single(new[] { await replicas.AskAsync(session), await replicas.AskAsync(session), await replicas.AskAsync(session) }.Distinct());
        }
    }

    [Fact]
    public async Task A_replica_that_starts_later_finds_what_the_others_know()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        await using var redis = await RedisServer.StartAsync();
        await using var replicas = await Replicas.StartAsync(1, servers.Addresses, "redis://" + redis.Address, Patient);
        var before = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => replicas.AskAsync($"s{i}")));
        await AllIsWrittenAsync(replicas[0]);

        await replicas.AddAsync("redis://" + redis.Address, Patient);
        var after = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Replicas.AskAsync(replicas[1], $"s{i}")));

        Assert.Equal(before, after);
        Assert.Equal(20, await replicas[1].MetricAsync("stickyingress_session_sync_operations_total{operation=\"read\",outcome=\"ok\"}"));
    }

    [Fact]
    public async Task While_keys_are_rotated_old_and_new_replicas_know_each_others_sessions()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        await using var redis = await RedisServer.StartAsync();
        await using var replicas = await Replicas.StartAsync(1, servers.Addresses, "redis://" + redis.Address, Patient);
        var old = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Replicas.AskAsync(replicas[0], $"old-{i}")));
        await AllIsWrittenAsync(replicas[0]);

        await replicas.WriteKeysAsync("the key of the second year", "the key that all replicas have");
        await replicas.AddAsync("redis://" + redis.Address, Patient);
        var young = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Replicas.AskAsync(replicas[1], $"young-{i}")));
        await AllIsWrittenAsync(replicas[1]);

        Assert.Equal(old, await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Replicas.AskAsync(replicas[1], $"old-{i}"))));
        Assert.Equal(young, await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Replicas.AskAsync(replicas[0], $"young-{i}"))));
    }

    [Fact]
    public async Task A_request_of_a_known_session_asks_the_store_nothing()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        await using var redis = await RedisServer.StartAsync();
        await using var replicas = await Replicas.StartAsync(1, servers.Addresses, "redis://" + redis.Address, Patient);
        await replicas.AskAsync("one");

        for (var i = 0; i < 50; i++) await replicas.AskAsync("one");

        Assert.Equal(1, await replicas[0].MetricAsync("stickyingress_session_sync_operations_total{operation=\"read\",outcome=\"missing\"}"));
    }

    [Fact]
    public async Task The_store_has_nothing_of_a_sessions_id_and_little_else()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        await using var redis = await RedisServer.StartAsync();
        await using var replicas = await Replicas.StartAsync(1, servers.Addresses, "redis://" + redis.Address, Patient);
        await replicas.ConnectedAsync();
        await replicas.AskAsync("very-secret-session-id");
        await AllIsWrittenAsync(replicas[0]);
        const string Count = """EVAL "local n = 0 for _, key in ipairs(redis.call('KEYS', '*')) do if (key .. redis.call('GET', key)):find(ARGV[1], 1, true) then n = n + 1 end end return n" 0 """;

        Assert.Equal((":2", ":0"), (await redis.SayAsync("DBSIZE", Stop), await redis.SayAsync(Count + "secret", Stop)));
        Assert.Equal(":2", await redis.SayAsync(Count + "sticky-ingress:", Stop)); // the session, and the mark of the store's life
    }

    /// <summary>What each replica bound apart from the other, and what came of it.</summary>
    [Fact]
    public async Task A_split_shows_in_the_metrics_and_ends_with_what_the_store_has()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        await using var redis = await RedisServer.StartAsync();
        await using var relay = new TcpRelay(redis.Port);
        await using var replicas = await Replicas.StartAsync(1, servers.Addresses, "redis://" + redis.Address, Patient);
        await replicas.AddAsync("redis://" + relay.Address, Patient);
        await replicas.ConnectedAsync();
        var sessions = Enumerable.Range(0, 20).Select(i => $"s{i}").ToArray();

        relay.Cut();
        await Eventually.HoldsAsync(async () => await SeriesAsync(replicas[1], "connected") == 0, "one is cut off", Stop);
        var here = await AskAsync(replicas[0], sessions);
        var there = await AskAsync(replicas[1], sessions);
        var differ = here.Zip(there).Count(pair => pair.First != pair.Second);
        Assert.Equal((1, 20), (await SeriesAsync(replicas[0], "connected"), await SeriesAsync(replicas[1], "pending")));
        Assert.InRange(differ, 1, 20); // one in three is the same by chance
        await AllIsWrittenAsync(replicas[0]);

        // Before they are used again, which writes a session once in a tenth of its timeout.
        Assert.Equal(20, await SeriesAsync(replicas[0], "operations_total{operation=\"write\",outcome=\"ok\"}"));
        Assert.Equal(20, await SeriesAsync(replicas[0], "operations_total{operation=\"read\",outcome=\"missing\"}"));
        foreach (var operation in new[] { "read", "write" })
        {
            Assert.Equal(20, await SeriesAsync(replicas[0], $"duration_seconds_count{{operation=\"{operation}\"}}"));
            Assert.True(await SeriesAsync(replicas[0], $"duration_seconds_sum{{operation=\"{operation}\"}}") > 0);
        }

        relay.Mend();
        await replicas.ConnectedAsync();
        await AllIsWrittenAsync(replicas[1]);

        Assert.Equal(here, await AskAsync(replicas[1], sessions));
        Assert.Equal(here, await AskAsync(replicas[0], sessions));
        Assert.Equal((differ, differ), (await SeriesAsync(replicas[1], "conflicts_total"), await SeriesAsync(replicas[1], "adopted_total")));
        Assert.Equal((0, 0), (await SeriesAsync(replicas[0], "conflicts_total"), await SeriesAsync(replicas[0], "adopted_total")));
        Assert.True(await SeriesAsync(replicas[1], "operations_total{operation=\"write\",outcome=\"lost\"}") == differ);

        var later = await Replicas.AskAsync(replicas[0], "later");
        await Eventually.HoldsAsync(async () => await SeriesAsync(replicas[1], "adopted_total") == differ + 1, "it hears", Stop);
        Assert.Equal(later, await Replicas.AskAsync(replicas[1], "later"));
    }

    [Fact]
    public async Task Without_a_store_sync_is_a_warning_and_sessions_are_kept_alone()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        using var manifests = With(Replicas.Shop(servers.Addresses));
        await using var process = await StickyProcess.ServeAsync(manifests);

        await process.LogsAsync("[SyncStoreMissing]");
        var first = await Replicas.AskAsync(process, "one");

        Assert.Equal(first, await Replicas.AskAsync(process, "one"));
    }

    [Theory]
    [InlineData("--sync-store needs --affinity-keys", "--sync-store", "redis://127.0.0.1")]
    [InlineData("--sync-store is \"http://x\"; its scheme is http", "--affinity-keys", "KEYS", "--sync-store", "http://x")]
    [InlineData("--sync-password-file is \"/nowhere\"; it must be a file", "--affinity-keys", "KEYS", "--sync-store", "redis://x", "--sync-password-file", "/nowhere")]
    [InlineData("--sync-ca needs --sync-store", "--sync-ca", "/etc/hostname")]
    [InlineData("--sync-prefix is \"a b\"", "--affinity-keys", "KEYS", "--sync-store", "redis://x", "--sync-prefix", "a b")]
    public async Task Settings_that_make_no_sense_are_refused(string expected, params string[] arguments)
    {
        using var manifests = With();
        using var keys = new TemporaryFile("the key that all replicas have\n");

        var ended = await StickyProcess.RunAsync(
            ["run", "--manifests", manifests.Folder, .. arguments.Select(argument => argument == "KEYS" ? keys.Path : argument)]);

        Assert.Equal(1, ended.Code);
        Assert.Contains(expected, ended.Error, StringComparison.Ordinal);
    }

    private static Task<double?> SeriesAsync(StickyProcess replica, string name) => replica.MetricAsync("stickyingress_session_sync_" + name);

    private static async Task<string[]> AskAsync(StickyProcess replica, string[] sessions)
    {
        var answers = new List<string>();
        foreach (var session in sessions) answers.Add(await Replicas.AskAsync(replica, session));
        return [.. answers];
    }

    private static Task AllIsWrittenAsync(StickyProcess replica) =>
        Eventually.HoldsAsync(async () => await replica.MetricAsync("stickyingress_session_sync_pending") == 0, "all is written", Stop);
}
