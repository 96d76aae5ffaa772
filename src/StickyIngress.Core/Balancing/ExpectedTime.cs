using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>nginx's estimate of how long one more request to a peer would take, in milliseconds times requests.</summary>
internal sealed class ExpectedTime(TimeMeasure measure, bool inflight) : ILoad
{
    private const int Step = 20;
    private const int Longest = 5000;

    public bool ComparesWithFirst => true;

    public void Observe(Peer peer, long nowMilliseconds)
    {
        if (inflight) ResponseTimes.SampleInflight(peer.State, nowMilliseconds);
    }

    public bool IsToBeObserved(Peer peer) => inflight && peer.State.InflightRequests > 0;

    public long Of(Peer peer, long nowMilliseconds)
    {
        var state = peer.State;
        var time = Average(state);
        if (time > 0) time >>= Halvings(peer, nowMilliseconds);
        if (inflight && state.InflightRequests > 0) time = Math.Max(time, state.InflightTime);
        time = time > Longest ? Longest : time + Step - (time % Step);
        return time * (1 + state.Conns);
    }

    public long ChangesAt(Peer peer, long nowMilliseconds)
    {
        var halvings = Halvings(peer, nowMilliseconds);
        return Average(peer.State) >> halvings < Step
            ? long.MaxValue
            : peer.State.Checked + ((halvings + 1) * (peer.FailTimeoutSeconds + 1));
    }

    private long Average(PeerState state) => measure == TimeMeasure.Header ? state.HeaderTime : state.ResponseTime;

    /// <summary>A peer's time is halved for each failTimeout that it was not selected, so that a slow one is tried again.</summary>
    private static int Halvings(Peer peer, long nowMilliseconds)
    {
        var idle = (nowMilliseconds / 1000) - peer.State.Checked;
        return idle <= peer.FailTimeoutSeconds ? 0 : (int)Math.Min(63, idle / (peer.FailTimeoutSeconds + 1));
    }
}
