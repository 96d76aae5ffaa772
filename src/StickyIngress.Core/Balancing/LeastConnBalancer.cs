using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>The peer with the fewest requests for its weight; equal ones take turns as in round robin.</summary>
public sealed class LeastConnBalancer : LeastLoadBalancer
{
    public LeastConnBalancer(PeerGroup primaries, PeerGroup backups)
        : this(primaries, backups, IndexUse.Normal)
    {
    }

    internal LeastConnBalancer(PeerGroup primaries, PeerGroup backups, IndexUse use)
        : base(primaries, backups, new Requests(), use)
    {
    }

    private sealed class Requests : ILoad
    {
        public bool ComparesWithFirst => false;

        public void Observe(Peer peer, long nowMilliseconds)
        {
        }

        public bool IsToBeObserved(Peer peer) => false;

        public long Of(Peer peer, long nowMilliseconds) => peer.State.Conns;

        public long ChangesAt(Peer peer, long nowMilliseconds) => long.MaxValue;
    }
}
