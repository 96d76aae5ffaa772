using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core;

/// <summary>
/// Selects a peer for the first try of a request to an upstream with a queue. Where no peer can be had at once the request
/// waits; where the client is bound to a peer that is full it waits for that one, and takes another when the time is over.
/// </summary>
public sealed class QueuedSelector(PeerSelector selector, SnapshotHolder snapshots, Clock clock, TimeProvider time)
{
    /// <param name="selection">Of an upstream with a queue.</param>
    /// <param name="client">Cancelled when the client leaves.</param>
    public ValueTask<Queued> SelectAsync(Selection selection, CancellationToken client)
    {
        var selected = selector.Select(selection, Patience.Arriving);
        return selected.Kind == SelectedKind.Wait
            ? new(WaitAsync(selection, selected.Awaited, client))
            : new(new Queued(selection, selected, QueueRejection.None, -1));
    }

    private async Task<Queued> WaitAsync(Selection selection, PeerState? awaited, CancellationToken client)
    {
        var entered = clock.Milliseconds;
        var (queue, settings) = (selection.Upstream.State.Queue, selection.Upstream.Queue!);
        if (!queue.TryEnter(settings.Size, awaited, out var place)) return Refuse(selection, awaited, QueueRejection.Full, entered);

        try
        {
            TimeSpan? untilRecovery = null;
            while (true)
            {
                var waited = TimeSpan.FromMilliseconds(clock.Milliseconds - entered);
                var end = await queue.WaitAsync(place, settings.Timeout - waited, untilRecovery, time, client);
                if (end == WaitEnd.ClientGone) return new(selection, Selected.NoLive, QueueRejection.ClientGone, clock.Milliseconds - entered);

                selection = Newest(selection);
                if (end == WaitEnd.TimedOut) return Refuse(selection, place.Awaited, QueueRejection.Timeout, entered);

                var selected = selector.Select(selection, Patience.Waiting);
                if (selected.Kind != SelectedKind.Wait) return new(selection, selected, QueueRejection.None, clock.Milliseconds - entered);

                queue.Await(place, selected.Awaited);
                untilRecovery = UntilRecovery(selection.Upstream);
            }
        }
        finally
        {
            queue.Leave(place);
        }
    }

    /// <summary>One that waited, or would have, for its own peer alone may still have another.</summary>
    private Queued Refuse(Selection selection, PeerState? awaited, QueueRejection why, long entered)
    {
        var selected = awaited is null ? Selected.NoLive : selector.Select(selection);
        return new(selection, selected, selected.Kind == SelectedKind.NoLive ? why : QueueRejection.None, clock.Milliseconds - entered);
    }

    /// <summary>The same request in the upstream as it is configured now, where that still has this queue.</summary>
    private Selection Newest(Selection selection)
    {
        var now = snapshots.Current.Find(selection.Upstream.Name);
        return now is null || now == selection.Upstream || now.State != selection.Upstream.State ? selection : selection.In(now);
    }

    private TimeSpan? UntilRecovery(Upstream upstream)
    {
        var now = clock.Milliseconds;
        lock (upstream.State.Gate)
        {
            return PeerAccounting.NextRecovery(upstream, now) is { } at ? TimeSpan.FromMilliseconds(at - now) : null;
        }
    }
}

/// <summary>What the selection for a first try came to.</summary>
/// <param name="Selection">The request's from now on: the configuration may have changed while it waited.</param>
/// <param name="Rejected">Why there is no peer, where it is for the queue's reasons.</param>
/// <param name="Milliseconds">How long it waited; -1: it did not.</param>
public readonly record struct Queued(Selection Selection, Selected Selected, QueueRejection Rejected, long Milliseconds);

/// <summary>Why a request left the queue, or did not enter it, without a peer.</summary>
public enum QueueRejection
{
    None,

    /// <summary>As many waited as may.</summary>
    Full,

    Timeout,

    ClientGone,
}
