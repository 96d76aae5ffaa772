using System.Collections.Immutable;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>
/// The ring of nginx's consistent hash, compatible with Cache::Memcached::Fast: 160 points per unit of weight, made of the
/// server's text. Only the texts and weights decide, not the order in which servers are listed.
/// </summary>
/*
 * One sorted array; an entry is a point and, in the lower half, the number of its server. Servers keep their numbers from ring
 * to ring. A ring that differs from the previous one in few servers is made of the previous array by copying what lies between
 * the changed points: for 10,000 servers that is 12.8 MB, a few milliseconds, where computing and sorting takes hundreds.
 *
 * Points of different servers may be equal. nginx keeps one of them, unspecified which; here all stay, ordered by server text,
 * and the first counts: so it does not depend on the rings before, and leaves its place to the other when its server goes.
 */
internal sealed class KetamaRing
{
    private const int PointsPerWeight = 160;

    // A change of more points than this part of the ring is not worth copying around.
    private const int LargestPart = 8;

    private readonly ulong[] _points;
    private readonly Dictionary<string, int> _numbers;
    private readonly string[] _servers;
    private readonly int[] _weights;

    private KetamaRing(ulong[] points, Dictionary<string, int> numbers, string[] servers, int[] weights) =>
        (_points, _numbers, _servers, _weights) = (points, numbers, servers, weights);

    /// <summary>Server numbers are below this.</summary>
    public int Numbers => _servers.Length;

    /// <param name="previous">The ring before; null: none.</param>
    /// <param name="numbers">The number of each peer's server.</param>
    public static KetamaRing Build(ImmutableArray<Peer> peers, KetamaRing? previous, out int[] numbers) =>
        previous?.Change(peers, out numbers) ?? Create(peers, out numbers);

    /// <summary>Position of the first point that is not below the hash, around the end of the ring.</summary>
    public int Find(uint hash)
    {
        var at = LowerBound(_points, (ulong)hash << 32);
        return at == _points.Length ? 0 : at;
    }

    public int ServerAt(int position) => (int)(uint)_points[position];

    /// <summary>Position of the next greater point, around the end of the ring.</summary>
    public int Next(int position)
    {
        var next = position + 1;
        while (next < _points.Length && _points[next] >> 32 == _points[position] >> 32) next++;
        return next == _points.Length ? 0 : next;
    }

    private static KetamaRing Create(ImmutableArray<Peer> peers, out int[] numbers)
    {
        var servers = peers.Select(peer => peer.Server).Distinct().Order(StringComparer.Ordinal).ToArray();
        var byText = new Dictionary<string, int>(servers.Length);
        for (var i = 0; i < servers.Length; i++) byText.Add(servers[i], i);

        numbers = new int[peers.Length];
        var weights = new int[servers.Length];
        for (var i = 0; i < peers.Length; i++)
        {
            numbers[i] = byText[peers[i].Server];
            weights[numbers[i]] = Math.Max(weights[numbers[i]], peers[i].Weight);
        }

        var points = new ulong[weights.Sum(weight => (long)weight * PointsPerWeight)];
        var filled = 0;
        for (var i = 0; i < servers.Length; i++) filled += AddPoints(servers[i], i, weights[i], points.AsSpan(filled));

        Array.Sort(points);
        return new(points, byText, servers, weights);
    }

    /// <summary>The ring for other peers; null: too much is different.</summary>
    private KetamaRing? Change(ImmutableArray<Peer> peers, out int[] numbers)
    {
        var change = new RingChange(_numbers, _weights);
        numbers = change.Number(peers);
        var points = (long)PointsPerWeight * change.ChangedWeight(_weights);
        if (points == 0) return this;
        if (points > _points.Length / LargestPart) return null;

        var servers = _servers.ToList();
        foreach (var (text, number) in change.Added)
        {
            if (number < servers.Count) servers[number] = text;
            else servers.Add(text);
        }

        var texts = servers.ToArray();
        var removed = Collect(change.Weights, _weights, _weights, _servers);
        var added = Collect(_weights, change.Weights, change.Weights, texts);
        return new(Merge(removed, added, texts), change.Numbers, texts, [.. change.Weights]);
    }

    /// <summary>The points of all servers whose weight differs, by one of the weights, in the order of the ring.</summary>
    private static ulong[] Collect(IReadOnlyList<int> other, IReadOnlyList<int> these, IReadOnlyList<int> weights, string[] servers)
    {
        var changed = Enumerable.Range(0, these.Count).Where(i => i >= other.Count || other[i] != these[i]).ToArray();
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

    private ulong[] Merge(ulong[] removed, ulong[] added, string[] servers)
    {
        var merged = GC.AllocateUninitializedArray<ulong>(_points.Length - removed.Length + added.Length);
        var (from, to, nextRemoved, nextAdded) = (0, 0, 0, 0);
        while (nextRemoved < removed.Length || nextAdded < added.Length)
        {
            var removeAt = nextRemoved < removed.Length ? PositionOf(removed[nextRemoved], _servers, from) : int.MaxValue;
            var addAt = nextAdded < added.Length ? PositionOf(added[nextAdded], servers, from) : int.MaxValue;
            var until = Math.Min(removeAt, addAt);
            _points.AsSpan(from, until - from).CopyTo(merged.AsSpan(to));
            (from, to) = (until, to + until - from);
            if (addAt <= removeAt)
            {
                merged[to++] = added[nextAdded++];
            }
            else
            {
                from++;
                nextRemoved++;
            }
        }

        _points.AsSpan(from).CopyTo(merged.AsSpan(to));
        return merged;
    }

    /// <summary>Where in this ring the point is, or would be; not before <paramref name="from"/>.</summary>
    private int PositionOf(ulong point, string[] servers, int from)
    {
        var at = from + LowerBound(_points.AsSpan(from), point >> 32 << 32);
        while (at < _points.Length && Compare(_points[at], _servers, point, servers) < 0) at++;
        return at;
    }

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
