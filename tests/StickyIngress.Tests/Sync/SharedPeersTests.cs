using System.Text;
using StickyIngress.Testing;

namespace StickyIngress.Tests.Sync;

/// <summary>Peers that are changed on one replica's admin port.</summary>
public sealed class SharedPeersTests
{
    private static readonly string[] SharingPeers = ["--sync-peers", "true"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_change_on_one_replica_holds_on_the_others_and_on_those_that_start_later()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        await using var redis = await RedisServer.StartAsync();
        await using var replicas = await Replicas.StartAsync(2, servers.Addresses, "redis://" + redis.Address, SharingPeers);
        await replicas.ConnectedAsync();

        await PatchAsync(replicas[0], servers[0].Address, "{\"drain\":true}");
        await StateAsync(replicas[1], servers[0].Address, "draining");
        await replicas.AddAsync("redis://" + redis.Address, SharingPeers);
        await StateAsync(replicas[2], servers[0].Address, "draining");

        await PatchAsync(replicas[2], servers[0].Address, "{\"drain\":null}");
        foreach (var replica in replicas.All) await StateAsync(replica, servers[0].Address, "available");
    }

    [Fact]
    public async Task A_change_while_the_store_is_away_holds_here_at_once_and_elsewhere_later()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        await using var redis = await RedisServer.StartAsync();
        await using var replicas = await Replicas.StartAsync(2, servers.Addresses, "redis://" + redis.Address, SharingPeers);
        await replicas.ConnectedAsync();
        redis.Kill();

        await PatchAsync(replicas[0], servers[1].Address, "{\"down\":true}");
        await StateAsync(replicas[0], servers[1].Address, "down");
        await StateAsync(replicas[1], servers[1].Address, "available");
        await redis.RestartAsync();

        await StateAsync(replicas[1], servers[1].Address, "down");
    }

    [Fact]
    public async Task Of_two_changes_of_one_peer_made_apart_one_stands_on_all()
    {
        await using var servers = await Backends.StartAsync("a", "b");
        await using var redis = await RedisServer.StartAsync();
        await using var replicas = await Replicas.StartAsync(2, servers.Addresses, "redis://" + redis.Address, SharingPeers);
        await replicas.ConnectedAsync();
        redis.Kill();
        await PatchAsync(replicas[0], servers[1].Address, "{\"down\":true}");
        await PatchAsync(replicas[1], servers[1].Address, "{\"drain\":true}");
        await StateAsync(replicas[0], servers[1].Address, "down");
        await StateAsync(replicas[1], servers[1].Address, "draining");

        await redis.RestartAsync();

        await Eventually.HoldsAsync(
            async () => await StateOfAsync(replicas[0], servers[1].Address) == await StateOfAsync(replicas[1], servers[1].Address), "one of both stands", Stop);
        await replicas.AddAsync("redis://" + redis.Address, SharingPeers);
        await StateAsync(replicas[2], servers[1].Address, await StateOfAsync(replicas[0], servers[1].Address));
    }

    private static async Task PatchAsync(StickyProcess process, string peer, string patch)
    {
        using var body = new StringContent(patch, Encoding.UTF8, "application/merge-patch+json");
        using var response = await process.Admin.PatchAsync($"/api/v1/upstreams/default/u/peers/{peer}", body, Stop);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Stop));
    }

    private static Task StateAsync(StickyProcess process, string peer, string state) => Eventually.HoldsAsync(
        async () => await StateOfAsync(process, peer) == state, $"{peer} is {state}", Stop);

    private static async Task<string> StateOfAsync(StickyProcess process, string peer) =>
        (await process.ApiAsync($"upstreams/default/u/peers/{peer}")).GetProperty("state").GetString()!;
}
