using System.Collections.Immutable;
using System.Numerics;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>
/// The ring of nginx's consistent hash, compatible with Cache::Memcached::Fast: 160 points per unit of weight, made of the
/// server's text. Only the texts and weights decide, not the order in which servers are listed.
/// </summary>
/*
 * An entry is a point and, in the lower half, the number of its server. Entries are sorted, and lie in chunks by the upper bits of
 * their points, which are spread evenly: a lookup takes the chunk by its number and searches in some sixty entries. Servers keep
 * their numbers from ring to ring, and a ring that differs from the previous one in few servers shares the chunks where nothing
 * changed: of 12.8 MB for 10,000 servers, one server's change copies a quarter of a megabyte. Chunks lie in blocks, so that nothing
 * that is copied is a large object to the garbage collector: those outlive their rings, and hold what was in them.
 *
 * Points of different servers may be equal. nginx keeps one of them, unspecified which; here all stay, ordered by server text,
 * and the first counts: so it does not depend on the rings before, and leaves its place to the other when its server goes.
 */
internal sealed class KetamaRing
{
    private const int PointsPerWeight = 160;

    // 20 million points of 8 bytes.
    public const int MostWeight = 125_000;

    // A change of more points than this part of the ring is not worth copying around.
    private const int LargestPart = 8;

    private const int PointsPerChunk = 64;

    private const int ChunksPerBlock = 32;

    private readonly ulong[][][] _blocks;
    private readonly int _chunks; // a power of two
    private readonly int _shift;
    private readonly long _count;
    private readonly string[] _servers;
    private readonly int[] _weights;

    private KetamaRing(ulong[][][] blocks, int chunks, long count, string[] servers, int[] weights)
    {
        (_blocks, _chunks, _count, _servers, _weights) = (blocks, chunks, count, servers, weights);
        _shift = ShiftFor(chunks);
    }

    /// <summary>Server numbers are below this.</summary>
    public int Numbers => _servers.Length;

    /// <param name="previous">The ring before; null: none.</param>
    /// <param name="numbers">The number of each peer's server.</param>
    public static KetamaRing Build(ImmutableArray<Peer> peers, KetamaRing? previous, out int[] numbers)
    {
        var divisor = Divisor(peers);
        return previous?.Change(peers, divisor, out numbers) ?? Create(peers, divisor, out numbers);
    }

    /// <summary>By what all weights are divided, because together they would make too large a ring; 1: they are counted in full.</summary>
    private static int Divisor(ImmutableArray<Peer> peers)
    {
        var total = 0L;
        foreach (var peer in peers) total += peer.Weight;
        return (int)Math.Max(1, (total + MostWeight - 1) / MostWeight);
    }

    /// <summary>What a peer's weight counts for here.</summary>
    internal static int Weight(Peer peer, int divisor) => Math.Max(1, peer.Weight / divisor);

    /// <summary>The first point that is not below the hash, around the end of the ring, with its server.</summary>
    public RingPoint Find(uint hash)
    {
        var wanted = (ulong)hash << 32;
        for (var chunk = ChunkOf(wanted); ; chunk = (chunk + 1) & (_chunks - 1), wanted = 0)
        {
            var points = _blocks[chunk / ChunksPerBlock][chunk % ChunksPerBlock];
            var at = LowerBound(points, wanted);
            if (at < points.Length) return new(points[at]);
        }
    }

    private static KetamaRing Create(ImmutableArray<Peer> peers, int divisor, out int[] numbers)
    {
        var servers = peers.Select(peer => peer.Server).Distinct().Order(StringComparer.Ordinal).ToArray();
        var byText = new Dictionary<string, int>(servers.Length);
        for (var i = 0; i < servers.Length; i++) byText.Add(servers[i], i);

        numbers = new int[peers.Length];
        var weights = new int[servers.Length];
        for (var i = 0; i < peers.Length; i++)
        {
            numbers[i] = byText[peers[i].Server];
            weights[numbers[i]] = Math.Max(weights[numbers[i]], Weight(peers[i], divisor));
        }

        var points = new ulong[weights.Sum(weight => (long)weight * PointsPerWeight)];
        var filled = 0;
        for (var i = 0; i < servers.Length; i++) filled += AddPoints(servers[i], i, weights[i], points.AsSpan(filled));

        Array.Sort(points);
        var chunks = ChunksFor(points.Length);
        return new([.. Split(points, chunks).Chunk(ChunksPerBlock)], chunks, points.Length, servers, weights);
    }

    /// <summary>The ring for other peers; null: too much is different.</summary>
    private KetamaRing? Change(ImmutableArray<Peer> peers, int divisor, out int[] numbers)
    {
        var change = new RingChange(_servers, _weights);
        numbers = change.Number(peers, divisor);
        var points = (long)PointsPerWeight * change.ChangedWeight(_weights);
        if (points == 0) return this;
        if (points > _count / LargestPart) return null;

        var removed = Collect(change.Weights, _weights, _servers);
        var added = Collect(_weights, change.Weights, change.Servers);
        var count = _count - removed.Length + added.Length;
        return Suits(count) ? new(Merge(removed, added, change.Servers), _chunks, count, change.Servers, change.Weights) : null;
    }

    /// <summary>The points of all servers whose weight differs from another, in the order of the ring.</summary>
    private static ulong[] Collect(int[] other, int[] weights, string[] servers)
    {
        var changed = Enumerable.Range(0, weights.Length).Where(i => weights[i] != (i < other.Length ? other[i] : 0)).ToArray();
        var points = new ulong[changed.Sum(i => weights[i] * PointsPerWeight)];
        var filled = 0;
        foreach (var i in changed) filled += AddPoints(servers[i], i, weights[i], points.AsSpan(filled));

        Array.Sort(points, (a, b) => Compare(a, servers, b, servers));
        return points;
    }

    private static int Compare(ulong a, string[] serversOfA, ulong b, string[] serversOfB)
    {
        var order = (a >> 32).CompareTo(b >> 32);
        return order != 0 ? order : string.CompareOrdinal(serversOfA[(uint)a], serversOfB[(uint)b]);
    }

    private ulong[][][] Merge(ReadOnlySpan<ulong> removed, ReadOnlySpan<ulong> added, string[] servers)
    {
        var blocks = _blocks.ToArray();
        while (removed.Length + added.Length > 0)
        {
            var chunk = ChunkOf(Math.Min(removed.IsEmpty ? ulong.MaxValue : removed[0], added.IsEmpty ? ulong.MaxValue : added[0]));
            var (fromRemoved, fromAdded) = (CountIn(chunk, removed), CountIn(chunk, added));
            ref var block = ref blocks[chunk / ChunksPerBlock];
            if (block == _blocks[chunk / ChunksPerBlock]) block = [.. block];
            ref var points = ref block[chunk % ChunksPerBlock];
            points = Merge(points, removed[..fromRemoved], added[..fromAdded], servers);
            removed = removed[fromRemoved..];
            added = added[fromAdded..];
        }

        return blocks;
    }

    /// <summary>One chunk without the removed points and with the added ones, all of which are in it.</summary>
    private ulong[] Merge(ulong[] points, ReadOnlySpan<ulong> removed, ReadOnlySpan<ulong> added, string[] servers)
    {
        var merged = new ulong[points.Length - removed.Length + added.Length];
        var to = 0;
        foreach (var point in points)
        {
            for (; !added.IsEmpty && Compare(added[0], servers, point, _servers) < 0; added = added[1..]) merged[to++] = added[0];

            if (!removed.IsEmpty && removed[0] == point) removed = removed[1..];
            else merged[to++] = point;
        }

        added.CopyTo(merged.AsSpan(to));
        return merged;
    }

    /// <summary>How many of sorted points are in a chunk, when none is in one before it.</summary>
    private int CountIn(int chunk, ReadOnlySpan<ulong> points)
    {
        var count = 0;
        while (count < points.Length && ChunkOf(points[count]) == chunk) count++;
        return count;
    }

    // Twice, since a shift by 64 is one by 0.
    private int ChunkOf(ulong point) => (int)(point >> 1 >> (_shift - 1));

    private static ulong[][] Split(ReadOnlySpan<ulong> points, int count)
    {
        var chunks = new ulong[count][];
        var shift = ShiftFor(chunks.Length);
        for (var i = 0; i < chunks.Length; i++)
        {
            var end = i + 1 == chunks.Length ? points.Length : LowerBound(points, (ulong)(i + 1) << shift);
            chunks[i] = points[..end].ToArray();
            points = points[end..];
        }

        return chunks;
    }

    private static int ShiftFor(int chunks) => 64 - BitOperations.Log2((uint)chunks);

    private static int ChunksFor(long points) => (int)BitOperations.RoundUpToPowerOf2((uint)(points / PointsPerChunk) + 1);

    /// <summary>Whether the chunks have about the size that they would have in a new ring.</summary>
    private bool Suits(long count) => ChunksFor(count) is var wanted && wanted <= _chunks * 2 && wanted * 2 >= _chunks;

    private static int LowerBound(ReadOnlySpan<ulong> points, ulong value)
    {
        var (low, high) = (0, points.Length);
        while (low < high)
        {
            var middle = (int)(((uint)low + (uint)high) >> 1);
            if (points[middle] < value) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    private static int AddPoints(string server, int number, int weight, Span<ulong> points)
    {
        var chain = new KetamaChain(server);
        for (var i = 0; i < weight * PointsPerWeight; i++) points[i] = ((ulong)chain.Next() << 32) | (uint)number;
        return weight * PointsPerWeight;
    }
}

/// <summary>A point of the ring with the number of its server; the next greater one is what <see cref="KetamaRing.Find"/> gives for the hash after it.</summary>
internal readonly record struct RingPoint(ulong Entry)
{
    public uint Hash => (uint)(Entry >> 32);

    public int Server => (int)(uint)Entry;
}
