using StackExchange.Redis;

namespace StickyIngress.Sync;

/// <summary>
/// Which shard of a Cluster has which slots. A shard that the Cluster has given up, which the client library leaves out, keeps its slots until another
/// has them: what is of them waits for it.
/// </summary>
internal sealed class ClusterSlots
{
    /// <summary>Of a Cluster, whatever its size.</summary>
    public const int Count = 16_384;

    private ClusterConfiguration? _taken;
    private Map? _map;

    /// <summary>The shards' addresses; an empty one stands for slots that no shard is known to have, and for all of what is no Cluster.</summary>
    public IReadOnlyCollection<string> Shards => Volatile.Read(ref _map)?.Shards ?? [""];

    /// <summary>Empty: no shard is known to have it, or the client is not sure now that this is a Cluster.</summary>
    public string ShardOf(RedisKey key) =>
        Volatile.Read(ref _map) is { } map && map.Client.HashSlot(key) is >= 0 and var slot ? map.ShardOf[slot] : "";

    /// <summary>Takes over what a node says; false: of some slots it names no shard. Not to be called twice at a time.</summary>
    public bool TakeAll(IServer node)
    {
        var told = node.ClusterConfiguration!;
        var named = told.Nodes.Where(shard => !shard.IsReplica)
            .SelectMany(shard => shard.Slots, (shard, slots) => (Shard: shard.EndPoint!.ToString()!, slots.From, Count: slots.To - slots.From + 1)).ToArray();
        if (told != _taken)
        {
            var shardOf = _map?.ShardOf.ToArray() ?? [.. Enumerable.Repeat("", Count)];
            foreach (var (shard, from, count) in named) Array.Fill(shardOf, shard, from, count);
            Volatile.Write(ref _map, new(node.Multiplexer, shardOf, [.. shardOf.Distinct()]));
            _taken = told;
        }

        return named.Sum(slots => slots.Count) == Count;
    }

    private sealed record Map(IConnectionMultiplexer Client, string[] ShardOf, IReadOnlyCollection<string> Shards);
}
