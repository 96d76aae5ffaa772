using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Balancing;

/// <summary>
/// nginx <c>hash KEY consistent</c>: the key's server is the next on the ring, and of its peers one is chosen by smooth round
/// robin. Where none of them is available the next point is tried; after too many misses, and for an empty key, round robin decides.
/// </summary>
public sealed class ConsistentHashBalancer : IBalancer
{
    /// <summary>What the weights of all peers may make together; of more, each counts for a part of its own only.</summary>
    public const int MostWeight = KetamaRing.MostWeight;

    private readonly RoundRobinBalancer _roundRobin;
    private readonly Template _key;
    private readonly KetamaRing _ring;
    private readonly Peer[] _peers;
    private readonly int[] _starts;

    /// <param name="previous">What the upstream had before, so that a ring that differs little is not built anew; null: nothing.</param>
    public ConsistentHashBalancer(PeerGroup primaries, PeerGroup backups, Template key, IBalancer? previous)
    {
        (_roundRobin, _key) = (new(primaries, backups), key);
        _ring = KetamaRing.Build(primaries.Peers, (previous as ConsistentHashBalancer)?._ring, out var numbers);
        (_peers, _starts) = Sort(primaries, numbers, _ring.Numbers);
    }

    public void Prepare(Selection selection) => selection.HashKey ??= _key.Evaluate(selection.Values);

    public Peer? Pick(Selection selection, long nowMilliseconds)
    {
        Prepare(selection);
        var key = selection.HashKey!;
        var group = selection.Group;
        ref var progress = ref selection.Hash;
        if (progress.Misses > HashLimits.Misses || group.Single || group.Backup || key.Length == 0)
            return _roundRobin.Pick(selection, nowMilliseconds);

        if (group.Peers.Length == 0) return null;
        if (PeerAccounting.UsableBound(selection, nowMilliseconds / 1000) is { } bound) return bound;

        if (!progress.Started) (progress.Sum, progress.Started) = (KeyHash.Of(key, round: 0), true);
        do
        {
            var point = _ring.Find(progress.Sum);
            if (PickOf(point.Server, selection, nowMilliseconds) is { } peer) return peer;

            progress.Sum = point.Hash + 1;
        }
        while (!HashLimits.Exhausted(ref progress));

        return _roundRobin.Pick(selection, nowMilliseconds);
    }

    /// <summary>A round of smooth round robin among the peers of one server.</summary>
    private Peer? PickOf(int server, Selection selection, long nowMilliseconds)
    {
        Peer? richest = null;
        var total = 0L;
        foreach (var peer in _peers.AsSpan(_starts[server].._starts[server + 1]))
        {
            if (!PeerAccounting.IsAvailable(peer, selection, nowMilliseconds / 1000)) continue;

            total += SmoothRound.Earn(peer, nowMilliseconds);
            if (richest is null || peer.State.CurrentWeight > richest.State.CurrentWeight) richest = peer;
        }

        if (richest is not null) SmoothRound.Pay(richest, total);
        return richest;
    }

    /// <summary>The peers in order of their servers' numbers, and where those of each server begin.</summary>
    private static (Peer[] Peers, int[] Starts) Sort(PeerGroup group, int[] numbers, int servers)
    {
        var starts = new int[servers + 1];
        foreach (var number in numbers) starts[number]++;
        for (var i = 1; i <= servers; i++) starts[i] += starts[i - 1];

        // From where each server's peers end back to where they begin.
        var peers = new Peer[numbers.Length];
        for (var i = numbers.Length - 1; i >= 0; i--) peers[--starts[numbers[i]]] = group.Peers[i];
        return (peers, starts);
    }
}
