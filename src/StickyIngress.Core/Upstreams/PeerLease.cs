using StickyIngress.Core.Affinity;

namespace StickyIngress.Core.Upstreams;

/// <summary>One try counted on a peer, from its selection to its <see cref="Dispose"/>; counted out once, whatever happened between.</summary>
public sealed class PeerLease : IDisposable
{
    private readonly Selection _selection;
    private readonly Clock _clock;
    private readonly bool _single;
    private TimeMeasure? _inflight;
    private bool _headerSampled;
    private int _released;

    /// <param name="inflight">The answer that ends the peer's waiting, where least_time counts waiting requests; it was begun.</param>
    internal PeerLease(Selection selection, Peer peer, Clock clock, long startedAt, TimeMeasure? inflight)
    {
        (_selection, Peer, _clock, _single) = (selection, peer, clock, selection.Group.Single);
        (StartedAt, _inflight) = (startedAt, inflight);
    }

    public Peer Peer { get; }

    /// <summary>Unix milliseconds.</summary>
    public long StartedAt { get; }

    /// <summary>Unix milliseconds of the response header; 0: none came.</summary>
    public long HeaderAt { get; private set; }

    /// <summary>How the try ended; what a client that left without an answer makes of it unless somebody says otherwise.</summary>
    public TryOutcome Outcome { get; private set; } = TryOutcome.Ok;

    /// <summary>The header of a response that goes to the client has arrived.</summary>
    public void HeaderReceived()
    {
        HeaderAt = _clock.Milliseconds;
        if (_inflight == TimeMeasure.Header)
        {
            lock (Peer.State.Upstream.Gate)
            {
                EndInflight(HeaderAt);
                SampleHeader();
                Peer.State.Changed();
            }
        }

        _selection.Upstream.Affinity?.HeaderReceived(_selection, Peer);
    }

    /// <summary>The try did not lead to an answer, so another one may follow.</summary>
    public void Fail(TryOutcome outcome, BreakReason reason)
    {
        Outcome = outcome;
        if (_selection.Outcome == AffinityOutcome.Kept) _selection.Reason = reason;
    }

    /// <summary>Learns, then counts out.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _released, 1) != 0) return;

        try
        {
            _selection.Upstream.Affinity?.Released(_selection, Peer, Outcome);
        }
        finally
        {
            lock (Peer.State.Upstream.Gate) CountOut();
        }
    }

    private void CountOut()
    {
        var now = _clock.Milliseconds;
        if (Outcome == TryOutcome.Ok && HeaderAt > 0)
        {
            Peer.State.ResponseTime = ResponseTimes.Average(Peer.State.ResponseTime, now - StartedAt);
            if (!_headerSampled) SampleHeader();
        }

        EndInflight(now);
        PeerAccounting.CountOut(Peer, _selection, _single, Outcome, now);
    }

    private void SampleHeader()
    {
        Peer.State.HeaderTime = ResponseTimes.Average(Peer.State.HeaderTime, HeaderAt - StartedAt);
        _headerSampled = true;
    }

    private void EndInflight(long now)
    {
        if (_inflight is null) return;

        _inflight = null;
        ResponseTimes.EndInflight(Peer.State, StartedAt, now);
    }
}
