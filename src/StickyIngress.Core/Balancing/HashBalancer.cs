using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Balancing;

/// <summary>
/// nginx <c>hash KEY</c>, compatible with Cache::Memcached: the hash falls into one peer's share of the total weight. Where that
/// peer is unavailable the key is hashed again with a number before it and the sum decides; after too many misses, and for an
/// empty key, round robin does.
/// </summary>
public sealed class HashBalancer(PeerGroup primaries, PeerGroup backups, Template key) : IBalancer
{
    private readonly RoundRobinBalancer _roundRobin = new(primaries, backups);

    public void Prepare(Selection selection) => selection.HashKey ??= key.Evaluate(selection.Values);

    public Peer? Pick(Selection selection, long nowMilliseconds)
    {
        Prepare(selection);
        var text = selection.HashKey!;
        var group = selection.Group;
        ref var progress = ref selection.Hash;
        if (progress.Misses > HashLimits.Misses || group.Peers.Length < 2 || text.Length == 0)
            return _roundRobin.Pick(selection, nowMilliseconds);

        var now = nowMilliseconds / 1000;
        if (PeerAccounting.UsableBound(selection, now) is { } bound) return bound;

        do
        {
            progress.Sum += (KeyHash.Of(text, progress.Rounds) >> 16) & 0x7fff;
            progress.Rounds++;
            var peer = group.At(progress.Sum % group.TotalWeight);
            if (PeerAccounting.IsAvailable(peer, selection, now)) return peer;
        }
        while (!HashLimits.Exhausted(ref progress));

        return _roundRobin.Pick(selection, nowMilliseconds);
    }
}
