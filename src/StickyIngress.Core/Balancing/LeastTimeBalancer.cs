using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>
/// The peer with the least expected time for its weight: its average, in steps of 20 ms, times the requests it would have.
/// </summary>
/*
 * Cost: large groups are chosen from by PeerIndex. With inflight, nginx updates in each selection the average of every available
 * peer that has requests waiting, and so must this: where more than a sixteenth of the peers have, looking at all is cheaper and
 * done. All are looked at, too, where peers of different weights are equal: nginx goes on comparing with the first one's estimate
 * and the richest one's weight, so that the outcome depends on the order.
 */
public sealed class LeastTimeBalancer : LeastLoadBalancer
{
    public LeastTimeBalancer(PeerGroup primaries, PeerGroup backups, TimeMeasure measure, bool inflight)
        : this(primaries, backups, measure, inflight, IndexUse.Normal)
    {
    }

    internal LeastTimeBalancer(PeerGroup primaries, PeerGroup backups, TimeMeasure measure, bool inflight, IndexUse use)
        : base(primaries, backups, new ExpectedTime(measure, inflight), use) => InflightUntil = inflight ? measure : null;

    /// <summary>The answer that a request is inflight until; null: requests that wait are not looked at.</summary>
    public TimeMeasure? InflightUntil { get; }
}
