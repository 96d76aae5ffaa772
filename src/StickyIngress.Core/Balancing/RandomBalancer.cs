using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>
/// nginx <c>random</c>: a peer drawn with a chance in proportion to its weight; with two, the better of two different ones. After
/// too many draws round robin decides.
/// </summary>
public sealed class RandomBalancer : IBalancer
{
    private const long Draws = 1L << 31;

    private readonly RoundRobinBalancer _roundRobin;
    private readonly RandomTwo? _two;
    private readonly ExpectedTime? _time;
    private readonly Random _random;

    /// <param name="two">How the better of two is found; null: one is drawn.</param>
    /// <param name="random">Used with the upstream's gate held, so no other upstream may have the same.</param>
    public RandomBalancer(PeerGroup primaries, PeerGroup backups, RandomTwo? two, Random random)
    {
        (_roundRobin, _two, _random) = (new(primaries, backups), two, random);
        _time = two switch
        {
            RandomTwo.LeastTimeHeader => new(TimeMeasure.Header, inflight: false),
            RandomTwo.LeastTimeLastByte => new(TimeMeasure.LastByte, inflight: false),
            _ => null,
        };
    }

    public Peer? Pick(Selection selection, long nowMilliseconds)
    {
        if (selection.Hash.Misses > HashLimits.Misses || selection.Group.Peers.Length < 2)
            return _roundRobin.Pick(selection, nowMilliseconds);

        return PeerAccounting.UsableBound(selection, nowMilliseconds / 1000)
            ?? Draw(selection, nowMilliseconds)
            ?? _roundRobin.Pick(selection, nowMilliseconds);
    }

    /// <summary>Null: too many draws.</summary>
    private Peer? Draw(Selection selection, long nowMilliseconds)
    {
        var group = selection.Group;
        Peer? first = null;
        do
        {
            var peer = group.At(_random.NextInt64(Draws) % group.TotalWeight);
            if (peer == first || !PeerAccounting.IsAvailable(peer, selection, nowMilliseconds / 1000)) continue;
            if (_two is null) return peer;
            if (first is not null) return Better(first, peer, nowMilliseconds);

            first = peer;
        }
        while (!HashLimits.Exhausted(ref selection.Hash));

        return null;
    }

    /// <summary>Of equals the second.</summary>
    private Peer Better(Peer first, Peer second, long nowMilliseconds) =>
        Load(second, nowMilliseconds) * first.Weight > Load(first, nowMilliseconds) * second.Weight ? first : second;

    private long Load(Peer peer, long nowMilliseconds) => _time?.Of(peer, nowMilliseconds) ?? peer.State.Conns;
}

/// <summary>How the better of two drawn peers is found.</summary>
public enum RandomTwo
{
    LeastConn,
    LeastTimeHeader,
    LeastTimeLastByte,
}
