using System.Collections.Immutable;
using System.Runtime.InteropServices;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>What is different about the servers of a ring: those that stay keep their numbers, new ones get free ones.</summary>
internal sealed class RingChange(string[] previousServers, int[] previousWeights)
{
    /// <summary>Numbers by text, kept empty from change to change: a new one of this size would be a large object to the garbage collector.</summary>
    private static Dictionary<string, int>? _spare;

    private string[] _servers = [.. previousServers];
    private int[] _weights = new int[previousWeights.Length];

    /// <summary>Texts by number; of a server that is gone until another has its number.</summary>
    public string[] Servers => _servers;

    /// <summary>Weights by number; 0: the server is gone.</summary>
    public int[] Weights => _weights;

    /// <summary>The number of each peer's server.</summary>
    public int[] Number(ImmutableArray<Peer> peers, int divisor)
    {
        var known = Interlocked.Exchange(ref _spare, null) ?? [];
        var free = new Queue<int>();
        for (var i = 0; i < previousServers.Length; i++)
        {
            if (previousWeights[i] > 0) known.Add(previousServers[i], i);
            else free.Enqueue(i);
        }

        var numbers = new int[peers.Length];
        for (var i = 0; i < numbers.Length; i++)
        {
            ref var number = ref CollectionsMarshal.GetValueRefOrAddDefault(known, peers[i].Server, out var exists);
            if (!exists) number = NumberOfNew(peers[i].Server, free);
            numbers[i] = number;

            // A server listed several times has the points of its greatest weight, which hold those of the others.
            _weights[number] = Math.Max(_weights[number], KetamaRing.Weight(peers[i], divisor));
        }

        known.Clear();
        Volatile.Write(ref _spare, known);
        return numbers;
    }

    /// <summary>The weight that is to be removed and added.</summary>
    public long ChangedWeight(int[] before)
    {
        var changed = 0L;
        for (var i = 0; i < _weights.Length; i++)
        {
            var old = i < before.Length ? before[i] : 0;
            if (old != _weights[i]) changed += old + _weights[i];
        }

        return changed;
    }

    private int NumberOfNew(string text, Queue<int> free)
    {
        if (!free.TryDequeue(out var number))
        {
            number = _servers.Length;
            var length = number + 1 + (number / 256);
            Array.Resize(ref _servers, length);
            Array.Resize(ref _weights, length);
            for (var i = number + 1; i < length; i++) free.Enqueue(i);
        }

        _servers[number] = text;
        return number;
    }
}
