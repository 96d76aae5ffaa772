using StickyIngress.Core.Affinity;

namespace StickyIngress.Core.Upstreams;

/// <summary>One try counted on a peer, from its selection to its <see cref="Dispose"/>; counted out once, whatever happened between.</summary>
public sealed class PeerLease : IDisposable
{
    private readonly Selection _selection;
    private readonly Clock _clock;
    private readonly bool _single;
    private int _released;

    internal PeerLease(Selection selection, Peer peer, Clock clock)
    {
        (_selection, Peer, _clock, _single) = (selection, peer, clock, selection.Group.Single);
        StartedAt = clock.Milliseconds;
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
            lock (Peer.State.Upstream.Gate)
                PeerAccounting.CountOut(Peer, _selection, _single, Outcome, _clock.Seconds);
        }
    }
}
