using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>What a method compares, in proportion to the weight; the peer with the least gets the request.</summary>
internal interface ILoad
{
    /// <summary>An index can follow it: it changes only when the peer's state is reported changed, or at <see cref="ChangesAt"/>.</summary>
    bool CanBeIndexed { get; }

    /// <summary>
    /// Among equals nginx compares with the load of the first, even after it has moved on to one with another weight.
    /// </summary>
    bool ComparesWithFirst { get; }

    /// <summary>Called for every available peer in each selection, before <see cref="Of"/>.</summary>
    void Observe(Peer peer, long nowMilliseconds);

    long Of(Peer peer, long nowMilliseconds);

    /// <summary>Unix seconds at which it changes by time alone; <see cref="long.MaxValue"/>: never.</summary>
    long ChangesAt(Peer peer, long nowMilliseconds);
}
