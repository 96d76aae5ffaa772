using System.Collections.Immutable;

namespace StickyIngress.Core.Upstreams;

/// <summary>The primary or the backup peers of an upstream, in configured order.</summary>
public sealed class PeerGroup
{
    private long[]? _ends;

    /// <param name="single">The upstream has no other group with peers; says nothing unless this one is primary and has one peer.</param>
    public PeerGroup(ImmutableArray<Peer> peers, bool backup, bool single)
    {
        Peers = peers;
        Backup = backup;
        Single = single && !backup && peers.Length == 1;
        foreach (var peer in peers)
        {
            TotalWeight += peer.Weight;
            if (!peer.Down && !peer.Draining) Tries++;
        }
    }

    public static PeerGroup Empty { get; } = new([], backup: true, single: false);

    public ImmutableArray<Peer> Peers { get; }

    public bool Backup { get; }

    /// <summary>The upstream's only peer: failures are not counted and it is always tried, once.</summary>
    public bool Single { get; }

    /// <summary>Sum of the configured weights, those of peers that are down included.</summary>
    public long TotalWeight { get; }

    /// <summary>Peers that are neither down nor draining; how many tries they are good for.</summary>
    public int Tries { get; }

    /// <summary>
    /// The peer whose share of the total weight holds that number, from 0 to <see cref="TotalWeight"/> - 1, as nginx finds it by
    /// subtracting one configured weight after the other.
    /// </summary>
    public Peer At(long weight)
    {
        var found = Array.BinarySearch(_ends ??= SumWeights(), weight);
        return Peers[found < 0 ? ~found : found + 1];
    }

    private long[] SumWeights()
    {
        var ends = new long[Peers.Length];
        var sum = 0L;
        for (var i = 0; i < ends.Length; i++) ends[i] = sum += Peers[i].Weight;
        return ends;
    }
}
