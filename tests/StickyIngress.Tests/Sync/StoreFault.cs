using StickyIngress.Testing;

namespace StickyIngress.Tests.Sync;

/// <summary>A store, and one thing that can be wrong with it.</summary>
internal sealed class StoreFault : IAsyncDisposable
{
    /// <summary>As docs/sync.md has it.</summary>
    public const string Permissions =
        "+get +set +pexpire +hset +hsetnx +hgetall +hdel +eval +publish +subscribe +unsubscribe +ping +echo +info +client +cluster +asking +config|get";

    private readonly string _name;
    private readonly RedisServer _server;
    private readonly RedisServer _standby;
    private readonly TcpRelay _relay;
    private RedisServer? _third;
    private readonly TemporaryFile _password = new("first\n");

    private StoreFault(string name, RedisServer server, RedisServer standby) =>
        (_name, _server, _standby, _relay) = (name, server, standby, new(server.Port));

    public string Store => _name switch
    {
        "wrong password" => "redis://app@" + _server.Address,
        "failing over to a replica" or "changing places with a replica" => $"{_server.Address},{_standby.Address}",
        "failing over by Sentinel" => $"{_third!.Address},serviceName=store",
        "failing over in a Cluster" or "without a shard of its Cluster" => $"{_server.Address},{_standby.Address},{_third!.Address}",
        _ => "redis://" + _relay.Address,
    };

    public string[] Settings => _name == "wrong password" ? ["--sync-password-file", _password.Path] : [];

    /// <summary>Whether the replicas are to say that the store is away while it lasts.</summary>
    public bool IsSeen => _name != "flushed";

    public static async Task<StoreFault> StartAsync(string name)
    {
        if (name is "failing over in a Cluster" or "without a shard of its Cluster") return await StartClusterAsync(name);

        var fault = new StoreFault(name, await RedisServer.StartAsync(), await RedisServer.StartAsync());
        await fault._server.SayAsync("ACL SETUSER app on >first ~sticky-ingress:* &sticky-ingress:* -@all " + Permissions);
        if (name == "wrong password") await fault._server.SayAsync("ACL SETUSER default -@all +ping +acl +client");
        if (name is "failing over to a replica" or "failing over by Sentinel" or "changing places with a replica") await fault._standby.FollowAsync(fault._server);
        if (name == "failing over by Sentinel") fault._third = await RedisServer.StartSentinelAsync("store", fault._server);

        return fault;
    }

    /// <summary>Two shards, the first of which has a replica.</summary>
    private static async Task<StoreFault> StartClusterAsync(string name)
    {
        var fault = new StoreFault(name, await RedisServer.StartNodeAsync(), await RedisServer.StartNodeAsync()) { _third = await RedisServer.StartNodeAsync() };
        await RedisServer.ClusterAsync(fault._server, fault._third);
        await fault._standby.JoinAsync(fault._server);
        return fault;
    }

    public async Task BeginAsync()
    {
        switch (_name)
        {
            case "killed, and back empty":
                _server.Kill();
                break;
            case "without a shard of its Cluster":
                _third!.Kill();
                break;
            case "frozen (SIGSTOP)":
                _server.Freeze();
                break;
            case "cut off":
                _relay.Cut();
                break;
            case "slow by 200 ms":
                _relay.Delay = TimeSpan.FromMilliseconds(200);
                break;
            case "wrong password":
                await _server.SayAsync("ACL SETUSER app resetpass >second");
                await _server.SayAsync("CLIENT KILL USER app");
                break;
            case "out of memory":
                await _server.SayAsync("CONFIG SET maxmemory 1");
                break;
            case "failing over to a replica" or "failing over by Sentinel" or "failing over in a Cluster":
                _server.Kill();
                break;
            case "demoted, and promoted again" or "changing places with a replica":
                await _server.SayAsync($"REPLICAOF 127.0.0.1 {_standby.Port}"); // answers READONLY
                break;
            case "flushed":
                await _server.SayAsync("FLUSHALL");
                break;
            default:
                throw new InvalidOperationException(_name);
        }
    }

    public async Task EndAsync()
    {
        switch (_name)
        {
            case "killed, and back empty":
                await _server.RestartAsync();
                break;
            case "without a shard of its Cluster":
                await _third!.RestartAsync();
                break;
            case "frozen (SIGSTOP)":
                _server.Thaw();
                break;
            case "cut off":
                _relay.Mend();
                break;
            case "slow by 200 ms":
                _relay.Delay = TimeSpan.Zero;
                break;
            case "wrong password":
                await File.WriteAllTextAsync(_password.Path, "second\n");
                break;
            case "out of memory":
                await _server.SayAsync("CONFIG SET maxmemory 0");
                break;
            case "demoted, and promoted again":
                await _server.SayAsync("REPLICAOF NO ONE");
                break;
            case "failing over to a replica" or "changing places with a replica":
                await _standby.SayAsync("REPLICAOF NO ONE");
                break;
            case "failing over by Sentinel":
                await _third!.SayAsync("SENTINEL FAILOVER store");
                break;
            case "failing over in a Cluster":
                await _standby.SayAsync("CLUSTER FAILOVER TAKEOVER"); // two shards are too few to vote
                break;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _relay.DisposeAsync();
        if (_third is not null) await _third.DisposeAsync();
        await _server.DisposeAsync();
        await _standby.DisposeAsync();
        _password.Dispose();
    }
}
