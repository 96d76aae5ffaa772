using System.Diagnostics.CodeAnalysis;

namespace StickyIngress.Core.Upstreams;

/// <summary>
/// The requests of an upstream that wait for a peer, first come first served. It only says whose turn it is to select again;
/// <see cref="QueuedSelector"/> selects.
/// </summary>
/*
 * Who takes any peer stands in one line; who is bound to a full peer stands in that peer's. An event (a peer was released, a
 * peer came back, the configuration changed) wakes the first of those whom it may help. One who got its peer wakes the next, so
 * an event that helps many reaches them one after the other, and one that helps one wakes two, not all.
 *
 * One who is awake keeps its place. When it found no peer it goes back to sleep there, unless an event has come since it was
 * woken: then it looks again, so no event is lost, and nobody behind it is woken for that event. Entering counts as being woken for the first in line, because a peer may
 * have been released between its selection and its entry.
 */
public sealed class UpstreamQueue
{
    private readonly Lock _gate = new();
    private readonly LinkedList<QueuePlace> _line = new();
    private readonly LinkedList<QueuePlace> _awake = new();
    private readonly Dictionary<PeerState, LinkedList<QueuePlace>> _lines = [];
    private long _events;
    private long _tickets;
    private int _length;
    private int _unbound;

    /// <summary>Requests that wait.</summary>
    public int Length => Volatile.Read(ref _length);

    /// <summary>Somebody waits for any peer, so others who take any come after.</summary>
    internal bool HasLine => Volatile.Read(ref _unbound) > 0;

    /// <summary>The configuration of the upstream changed; to be called when the snapshot with it is published.</summary>
    public void Changed()
    {
        if (Length == 0) return;

        lock (_gate)
        {
            foreach (var line in _lines.Values.ToArray()) WakeAll(line);
        }

        Wake(null);
    }

    /// <summary>A request left the peer.</summary>
    internal void Released(PeerState peer)
    {
        if (Length > 0) Wake(peer);
    }

    /// <summary>A peer may be used again.</summary>
    internal void Recovered()
    {
        if (Length > 0) Wake(null);
    }

    /// <summary>The peer is out of use, so there is no point in waiting for it alone.</summary>
    internal void Lost(PeerState peer)
    {
        if (Length == 0) return;

        lock (_gate)
        {
            _events++;
            if (_lines.TryGetValue(peer, out var line)) WakeAll(line);
        }
    }

    /// <summary>Takes the last place; false: as many wait as may.</summary>
    /// <param name="awaited">The only peer that will do; null: any.</param>
    internal bool TryEnter(int size, PeerState? awaited, [NotNullWhen(true)] out QueuePlace? place)
    {
        lock (_gate)
        {
            place = null;
            if (_length >= size) return false;

            _length++;
            var first = awaited is not null || _unbound == 0;
            if (awaited is null) _unbound++;
            place = new(_tickets++, awaited) { Seen = first ? -1 : _events };
            _awake.AddLast(place.Node);
            return true;
        }
    }

    /// <summary>Sleeps until it is the place's turn to select; who found no peer then comes here again.</summary>
    /// <param name="untilTimeout">From now; not above zero: it is over.</param>
    /// <param name="untilRecovery">From now, when a peer comes back by time alone; null: none does.</param>
    internal async ValueTask<WaitEnd> WaitAsync(
        QueuePlace place, TimeSpan untilTimeout, TimeSpan? untilRecovery, TimeProvider time, CancellationToken client)
    {
        if (client.IsCancellationRequested) return WaitEnd.ClientGone;
        if (untilTimeout <= TimeSpan.Zero) return WaitEnd.TimedOut;

        Task<WaitEnd> asleep;
        lock (_gate)
        {
            if (place.Seen != _events)
            {
                place.Seen = _events;
                return WaitEnd.Woken;
            }

            asleep = Sleep(place);
        }

        var recoversFirst = untilRecovery < untilTimeout;
        var end = recoversFirst ? WaitEnd.Woken : WaitEnd.TimedOut;
        var after = recoversFirst ? untilRecovery!.Value : untilTimeout;
        await using var timer = time.CreateTimer(_ => End(place, end), null, Timers.AtMost(after), Timeout.InfiniteTimeSpan);
        await using var gone = client.UnsafeRegister(_ => End(place, WaitEnd.ClientGone), null);
        return await asleep;
    }

    /// <summary>The peer that will do is another one now; null: any.</summary>
    internal void Await(QueuePlace place, PeerState? awaited)
    {
        lock (_gate)
        {
            if (place.Awaited == awaited) return;

            // What made this one give its peer up holds for those behind it too.
            if (place.Awaited is { } given && _lines.TryGetValue(given, out var line)) Wake(line.First!.Value, given);
            if (place.Awaited is null) _unbound--;
            if (awaited is null) _unbound++;
            place.Awaited = awaited;
        }
    }

    /// <summary>Gives the place up, with a peer or without; whoever is next may find one too.</summary>
    internal void Leave(QueuePlace place)
    {
        lock (_gate)
        {
            _length--;
            _awake.Remove(place.Node);
            if (place.Awaited is null) _unbound--;
        }

        if (Length > 0) Wake(place.Event);
    }

    /// <summary>Wakes the first whom the peer helps; null: any peer.</summary>
    private void Wake(PeerState? peer)
    {
        lock (_gate)
        {
            _events++;
            var any = FirstAsleep(_line);
            var bound = peer is not null && _lines.TryGetValue(peer, out var line) ? FirstAsleep(line) : null;
            var first = bound is null || any?.Ticket < bound.Ticket ? any : bound;
            if (first is not null) Wake(first, peer);
        }
    }

    /// <summary>The first of the line, unless somebody of the same wish who came before is awake and so looks again anyway.</summary>
    private QueuePlace? FirstAsleep(LinkedList<QueuePlace> line)
    {
        if (line.First?.Value is not { } first) return null;

        foreach (var place in _awake)
        {
            if (place.Awaited == first.Awaited && place.Ticket < first.Ticket) return null;
        }

        return first;
    }

    private void WakeAll(LinkedList<QueuePlace> line)
    {
        while (line.First is { } next) Wake(next.Value, next.Value.Awaited);
    }

    private void Wake(QueuePlace place, PeerState? peer)
    {
        place.Event = peer;
        End(place, WaitEnd.Woken);
    }

    private Task<WaitEnd> Sleep(QueuePlace place)
    {
        _awake.Remove(place.Node);
        var line = _line;
        if (place.Awaited is { } peer && !_lines.TryGetValue(peer, out line)) _lines.Add(peer, line = new());

        // Who comes back stood near the front; who is new goes to the end at once.
        var behind = line!.Last is { } last && last.Value.Ticket < place.Ticket ? null : line.First;
        while (behind is not null && behind.Value.Ticket < place.Ticket) behind = behind.Next;

        if (behind is null) line.AddLast(place.Node);
        else line.AddBefore(behind, place.Node);

        place.Sleeping = new(TaskCreationOptions.RunContinuationsAsynchronously);
        return place.Sleeping.Task;
    }

    /// <summary>Takes the place out of its line, once, whoever comes first of those who may.</summary>
    private void End(QueuePlace place, WaitEnd end)
    {
        lock (_gate)
        {
            if (place.Sleeping is not { } sleeping) return;

            var line = place.Node.List!;
            line.Remove(place.Node);
            if (line.Count == 0 && place.Awaited is { } peer) _lines.Remove(peer);

            _awake.AddLast(place.Node);
            (place.Sleeping, place.Seen) = (null, _events);
            sleeping.SetResult(end);
        }
    }
}

/// <summary>One request's place in the queue.</summary>
internal sealed class QueuePlace
{
    public QueuePlace(long ticket, PeerState? awaited)
    {
        (Ticket, Awaited) = (ticket, awaited);
        Node = new(this);
    }

    /// <summary>Who came before has a smaller one.</summary>
    public long Ticket { get; }

    public LinkedListNode<QueuePlace> Node { get; }

    /// <summary>The only peer that will do; null: any.</summary>
    public PeerState? Awaited { get; set; }

    /// <summary>The peer that it was woken for last; null: any.</summary>
    public PeerState? Event { get; set; }

    /// <summary>The number of events when it was woken last.</summary>
    public long Seen { get; set; }

    /// <summary>Null: it is awake.</summary>
    public TaskCompletionSource<WaitEnd>? Sleeping { get; set; }
}

internal enum WaitEnd
{
    /// <summary>It may select now.</summary>
    Woken,

    TimedOut,

    ClientGone,
}
