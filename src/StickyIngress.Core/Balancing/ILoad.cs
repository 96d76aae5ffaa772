using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>What a method compares, in proportion to the weight; the peer with the least gets the request.</summary>
internal interface ILoad
{
    /// <summary>
    /// Among equals nginx compares with the load of the first, even after it has moved on to one with another weight.
    /// </summary>
    bool ComparesWithFirst { get; }

    /// <summary>Called for every available peer in each selection that compares, before <see cref="Of"/>.</summary>
    void Observe(Peer peer, long nowMilliseconds);

    /// <summary>Whether observing the peer changes anything now.</summary>
    bool IsToBeObserved(Peer peer);

    /// <summary>It changes only when the peer's state is reported changed, when it is observed, or at <see cref="ChangesAt"/>.</summary>
    long Of(Peer peer, long nowMilliseconds);

    /// <summary>Unix seconds at which it changes by time alone; <see cref="long.MaxValue"/>: never.</summary>
    long ChangesAt(Peer peer, long nowMilliseconds);
}
