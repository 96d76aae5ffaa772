using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StickyIngress.Testing;

namespace StickyIngress.Tests.Sync;

/// <summary>Two replicas that share a session through each kind of store that the settings can name; a Sentinel's are among the faults.</summary>
public sealed class StoreKindTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TLS_and_a_user_who_may_do_no_more_than_is_documented()
    {
        using var certificate = new ServerCertificate();
        var port = FreePort.Next();
        await using var redis = await RedisServer.StartAsync(
            "--tls-port", $"{port}", "--tls-cert-file", certificate.Chain, "--tls-key-file", certificate.Key, "--tls-ca-cert-file", certificate.Ca, "--tls-auth-clients", "no");
        await redis.SayAsync("ACL SETUSER app on >the-word ~sticky-ingress:* &sticky-ingress:* -@all " + StoreFault.Permissions, Stop);
        using var password = new TemporaryFile("the-word\n");

        await AssertSharedAsync($"rediss://app@127.0.0.1:{port}", "--sync-ca", certificate.Ca, "--sync-password-file", password.Path, "--sync-peers", "true");
    }

    [Fact]
    public async Task A_store_whose_certificate_leads_elsewhere_is_not_used_and_no_request_fails()
    {
        using var certificate = new ServerCertificate();
        using var another = new ServerCertificate();
        var port = FreePort.Next();
        await using var redis = await RedisServer.StartAsync(
            "--tls-port", $"{port}", "--tls-cert-file", certificate.Chain, "--tls-key-file", certificate.Key, "--tls-ca-cert-file", certificate.Ca, "--tls-auth-clients", "no");
        await using var servers = await Backends.StartAsync("a", "b");
        await using var replicas = await Replicas.StartAsync(1, servers.Addresses, $"rediss://127.0.0.1:{port}", "--sync-ca", another.Ca);

        await replicas[0].LogsAsync("Shared sessions: the store cannot be used");
        var first = await replicas.AskAsync("one");

        Assert.Equal(first, await replicas.AskAsync("one"));
        Assert.Equal(0, await replicas[0].MetricAsync("stickyingress_session_sync_connected"));
    }

    /// <summary>Probes succeed there, and what they say does not hold.</summary>
    [Fact]
    public async Task A_user_who_may_not_run_scripts_is_told_of_and_no_request_fails()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.SayAsync("ACL SETUSER app on nopass ~sticky-ingress:* &sticky-ingress:* -@all " + StoreFault.Permissions.Replace("+eval ", "", StringComparison.Ordinal), Stop);
        await using var servers = await Backends.StartAsync("a", "b");
        await using var replicas = await Replicas.StartAsync(1, servers.Addresses, $"redis://app:any@{redis.Address}");
        var first = await replicas.AskAsync("one");

        await replicas[0].LogsAsync("refuses a session: NOPERM");
        await replicas.ConnectedAsync(connected: false);

        Assert.Equal(first, await replicas.AskAsync("one"));
        await redis.SayAsync("ACL SETUSER app +eval", Stop);
        await replicas.ConnectedAsync();
        await Eventually.HoldsAsync(async () => await replicas[0].MetricAsync("stickyingress_session_sync_pending") == 0, "all is written", Stop);
    }

    [Fact]
    public async Task A_Cluster_of_two_shards()
    {
        await using var one = await RedisServer.StartNodeAsync();
        await using var two = await RedisServer.StartNodeAsync();
        await RedisServer.ClusterAsync(one, two);

        await AssertSharedAsync($"{one.Address},{two.Address}", "--sync-peers", "true");

        Assert.All(
            new[] { await one.InfoAsync("total_commands_processed"), await two.InfoAsync("total_commands_processed") }, commands => Assert.True(commands > 40));
    }

    [Fact]
    public async Task A_Cluster_that_moves_slots_from_shard_to_shard_meanwhile()
    {
        await using var one = await RedisServer.StartNodeAsync();
        await using var two = await RedisServer.StartNodeAsync();
        await RedisServer.ClusterAsync(one, two);
        await using var servers = await Backends.StartAsync("a", "b", "c");
        await using var replicas = await Replicas.StartAsync(2, servers.Addresses, $"{one.Address},{two.Address}");
        await replicas.ConnectedAsync();
        string[] sessions = [.. Enumerable.Range(0, 40).Select(i => $"s{i}")];
        await LearnAsync(replicas, sessions);
        await using var load = new SyncLoad(replicas, sessions);
        await load.AnswersAsync(400);

        await one.ReshardAsync(two, slots: 4000);
        await load.AnswersAsync(400);
        await load.EndAsync();

        Assert.Empty(load.Failures);
        await replicas.ConnectedAsync();
        await LearnAsync(replicas, [.. Enumerable.Range(0, 40).Select(i => $"later-{i}")]);
    }

    [Fact]
    public async Task A_Cluster_that_has_lost_a_shard_shares_the_sessions_of_the_others()
    {
        // Three: of two, the one that is left has no majority of the primaries with it, and gives the Cluster up after its timeout.
        string[] partly = ["--cluster-require-full-coverage", "no"];
        await using var one = await RedisServer.StartNodeAsync(partly);
        await using var two = await RedisServer.StartNodeAsync(partly);
        await using var three = await RedisServer.StartNodeAsync(partly);
        await RedisServer.ClusterAsync(one, two, three);
        await using var servers = await Backends.StartAsync("a", "b", "c");
        await using var replicas = await Replicas.StartAsync(2, servers.Addresses, $"{one.Address},{two.Address},{three.Address}", "--sync-read-budget", "1s");
        await replicas.ConnectedAsync();

        two.Kill();
        await replicas.ConnectedAsync(connected: false);
        await replicas[0].LogsAsync($"the store's shard {two.Address} cannot be used");
        string[] sessions = [.. Enumerable.Range(0, 40).Select(i => $"s{i}")];
        var first = await Task.WhenAll(sessions.Select(session => Replicas.AskAsync(replicas[0], session)));
        await Eventually.HoldsAsync(async () => await SharedAsync(replicas, sessions) + await PendingAsync(replicas[0]) == 40, "the rest waits", Stop);
        var shared = await SharedAsync(replicas, sessions);
        Assert.InRange(shared, 10, 38); // how many are of the shards that are left is chance
        Assert.Equal(first, await Task.WhenAll(sessions.Select(session => Replicas.AskAsync(replicas[1], session))));
        await Eventually.HoldsAsync(async () => (await one.LinesAsync("CLUSTER INFO", Stop)).Any(IsOfLostSlots), "the Cluster has given the shard up", Stop);
        Assert.Equal(first, await Task.WhenAll(sessions.Select(session => Replicas.AskAsync(replicas[1], session))));
        Assert.DoesNotContain(replicas[0].Error, line => IsOfAwayShard(line, one) || IsOfAwayShard(line, three));

        await replicas.AddAsync($"{one.Address},{three.Address}", "--sync-read-budget", "1s"); // which nobody tells of the lost one
        await replicas[2].LogsAsync($"the store's shard {three.Address} is in use");
        Assert.Equal(0, await replicas[2].MetricAsync("stickyingress_session_sync_connected"));

        await two.RestartAsync();
        await replicas.ConnectedAsync();
        await Eventually.HoldsAsync(async () => await PendingAsync(replicas[0]) == 0, "all is written", Stop);
        Assert.Equal(first, await Task.WhenAll(sessions.Select(session => Replicas.AskAsync(replicas[2], session))));
        Assert.Equal(first, await LearnAsync(replicas, sessions));

        static bool IsOfLostSlots(string line) => line.StartsWith("cluster_slots_fail:", StringComparison.Ordinal) && line != "cluster_slots_fail:0";
        static bool IsOfAwayShard(string line, RedisServer shard) => line.Contains($"shard {shard.Address} cannot", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_holds_something_else_is_told_of_and_hinders_no_other_session()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var servers = await Backends.StartAsync("a", "b");
        await using var replicas = await Replicas.StartAsync(1, servers.Addresses, "redis://" + redis.Address);
        await replicas.ConnectedAsync();
        var first = await replicas.AskAsync("one");
        await Eventually.HoldsAsync(async () => await PendingAsync(replicas[0]) == 0, "it is written", Stop);
        const string Occupy = """EVAL "local key = redis.call('KEYS', 'sticky-ingress:*:*')[1] redis.call('DEL', key) redis.call('HSET', key, 'a', 'b') return key" 0""";
        await redis.SayAsync(Occupy, Stop);

        await replicas.AddAsync("redis://" + redis.Address);
        await replicas.ConnectedAsync();
        var second = await Replicas.AskAsync(replicas[1], "one");
        foreach (var session in new[] { "two", "three" }) await Replicas.AskAsync(replicas[1], session);
        await replicas[1].LogsAsync("the store has something else under its key sticky-ingress:");

        Assert.Equal((first, second), (await Replicas.AskAsync(replicas[0], "one"), await Replicas.AskAsync(replicas[1], "one")));
        await Eventually.HoldsAsync(async () => (await replicas.PeersAsync("three")).Distinct().Count() == 1, "others are shared", Stop);
        await Eventually.HoldsAsync(async () => await PendingAsync(replicas[1]) == 0, "nothing waits", Stop);
        foreach (var operation in new[] { "read", "write" })
            Assert.True(await replicas[1].MetricAsync($"stickyingress_session_sync_operations_total{{operation=\"{operation}\",outcome=\"unusable\"}}") > 0);
        Assert.True(await replicas.AreConnectedAsync(true));
    }

    private static Task<double?> PendingAsync(StickyProcess replica) => replica.MetricAsync("stickyingress_session_sync_pending");

    /// <summary>How many of the sessions that the first replica has bound are known to the other.</summary>
    private static async Task<int> SharedAsync(Replicas replicas, string[] sessions) =>
        (await Task.WhenAll(sessions.Select(replicas.PeersAsync))).Count(peers => peers is [{ } here, { } there] && here == there);

    /// <summary>What one replica learns, the other knows without asking.</summary>
    private static async Task AssertSharedAsync(string store, params string[] settings)
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        await using var replicas = await Replicas.StartAsync(2, servers.Addresses, store, settings);
        await replicas.ConnectedAsync();

        var sessions = Enumerable.Range(0, 40).Select(i => $"s{i}").ToArray();
        var first = await LearnAsync(replicas, sessions);

        Assert.Equal(first, await Task.WhenAll(sessions.Select(session => Replicas.AskAsync(replicas[1], session))));
        Assert.Equal(0, await replicas[0].MetricAsync("stickyingress_session_sync_operations_total{operation=\"write\",outcome=\"failed\"}"));
    }

    /// <summary>Where one replica has bound each session, once the other knows it too.</summary>
    private static async Task<string[]> LearnAsync(Replicas replicas, string[] sessions)
    {
        var first = await Task.WhenAll(sessions.Select(session => Replicas.AskAsync(replicas[0], session)));
        foreach (var session in sessions)
        {
            await Eventually.HoldsAsync(async () => (await replicas.PeersAsync(session)).Distinct().Count() == 1, "both replicas know it", Stop);
        }

        return first;
    }

    /// <summary>A certificate of 127.0.0.1 by an authority of its own, in files.</summary>
    private sealed class ServerCertificate : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("store-tls-");

        public ServerCertificate()
        {
            var now = TimeProvider.System.GetUtcNow();
            using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var authority = new CertificateRequest("CN=authority", authorityKey, HashAlgorithmName.SHA256);
            authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
            using var issuer = authority.CreateSelfSigned(now.AddHours(-1), now.AddDays(1));

            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=store", key, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
            using var certificate = request.Create(issuer, now.AddHours(-1), now.AddHours(12), [1, 2, 3]);

            File.WriteAllText(Ca, issuer.ExportCertificatePem());
            File.WriteAllText(Chain, certificate.ExportCertificatePem());
            File.WriteAllText(Key, key.ExportPkcs8PrivateKeyPem());
        }

        public string Ca => Path.Combine(_folder.FullName, "ca.crt");

        public string Chain => Path.Combine(_folder.FullName, "tls.crt");

        public string Key => Path.Combine(_folder.FullName, "tls.key");

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
