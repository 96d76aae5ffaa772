using System.Collections.Concurrent;
using System.Security.Cryptography;
using StickyIngress.Core.Sessions;

namespace StickyIngress.Core.Sharing;

/*
 * Sessions that several replicas learn, through a store that all of them can reach and none of them needs.
 *
 * Bindings:  who binds a session offers it; the first offer stands, and whoever comes second takes the first one's peer. A
 *            session that moves replaces in the store only what the mover knew, so of two moves one stands as well. The
 *            writes go through PendingWrites, off the request path; one batch is underway at a time, so writes of one session
 *            keep their order.
 * Use:       a session that is used is written again once in a tenth of its timeout. That keeps it alive in the store, brings
 *            back what the store has lost, and finds out where this replica has missed a move: the store's binding wins.
 * Hearing:   what a write changes is announced. A replica takes over what it hears, unless it is about to write that session
 *            itself, for then the store's answer tells. An announcement that is lost costs one read.
 * Strangers: a peer that is not known here counts as no binding and is replaced; a value of another version is left alone.
 * Away:      reads and writes have a breaker each, closed by probes alone. While one is open, sessions that are not known
 *            are bound by rendezvous, alike on every replica; what is to be written waits. When the store is back, or has
 *            lost its content, or more was to be written than may wait, all known sessions are offered again, at a bounded rate.
 *            The shards of a Cluster are parts that have breakers each; while one is away all new sessions are bound by
 *            rendezvous, since a Cluster may give up the others soon, and are shared through the parts that work.
 */

/// <summary>Shares the sessions of zones with other replicas.</summary>
public sealed class SessionSharing
{
    /// <summary>How often a session that is always used is written within its timeout.</summary>
    internal const int RefreshesPerTimeout = 10;

    private const int BatchSize = 256;

    private readonly ISharedStore _store;
    private readonly SharingOptions _options;
    private readonly TimeProvider _time;
    private readonly ISharingObserver _observer;
    private readonly ConcurrentDictionary<string, SharedZone> _zones = new();
    private readonly PendingWrites _pending;
    private readonly StoreParts _parts;
    private readonly long _sender = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));
    private int _readsUnderway;

    public SessionSharing(ISharedStore store, SharingOptions options, TimeProvider time, ISharingObserver observer)
    {
        (_store, _options, _time, _observer) = (store, options, time, observer);
        (_pending, _parts) = (new(options.MaxPending), new(store, options, time, observer));
        store.Announced += Hear;
        _parts.Changed += _pending.Release;
    }

    /// <summary>The store, or a part of it, cannot be read within the budget, or not be written.</summary>
    public bool IsAway => _parts.IsAway;

    /// <summary>Sessions that wait to be written.</summary>
    public int Pending => _pending.Count;

    /// <summary>Shares a zone from now on.</summary>
    /// <param name="owner">Names its upstream on every replica.</param>
    public SharedZone Join(string owner, SessionZone zone)
    {
        if (_zones.TryGetValue(owner, out var known) && known.Zone == zone) return known;

        Leave(zone);
        var shared = new SharedZone(this, owner, zone);
        _zones[owner] = shared;
        zone.Table.Learned = shared.Learned;
        return shared;
    }

    /// <summary>The zone is no more, or not shared any more. What other replicas share stays.</summary>
    public void Leave(SessionZone zone)
    {
        foreach (var shared in _zones.Values.Where(shared => shared.Zone == zone))
        {
            zone.Table.Learned = null;
            _zones.TryRemove(shared.Owner, out _);
        }
    }

    /// <summary>Writes, probes and offers again until it is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(WriteAllAsync(cancellationToken), _parts.RunAsync(cancellationToken), ReofferAllAsync(cancellationToken));

    internal void Add(SharedZone zone, in SessionKey key, string? former, bool announce, TimeSpan age)
    {
        if (_pending.TryAdd(zone, key, former, announce, age)) return;

        Drop(_parts.Of(new(zone.Owner, key)));
    }

    internal bool IsRefreshDue(in SessionKey key, TimeSpan unused, TimeSpan timeout)
    {
        var period = Math.Max(1, timeout.Ticks / RefreshesPerTimeout);
        var now = _time.GetElapsedTime(0).Ticks + (long)(key.Low % (ulong)period);
        return now / period != (now - unused.Ticks) / period;
    }

    internal ValueTask<bool> FetchAsync(SharedZone zone, in SessionKey key)
    {
        var shared = new SharedKey(zone.Owner, key);
        if (_parts.Of(shared) is not { IsReadable: true } part) return new(false);
        if (Interlocked.Increment(ref _readsUnderway) <= _options.MaxReads) return new(ReadAsync(zone, shared, part));

        Interlocked.Decrement(ref _readsUnderway);
        _observer.Done(SharingOperation.Read, SharingOutcome.Dropped, TimeSpan.Zero);
        return new(false);
    }

    /// <summary>Writes one batch of what waits; false: the store did not answer all of it.</summary>
    internal async Task<bool> WriteBatchAsync()
    {
        var batch = new List<PendingWrite>();
        _pending.Take(batch, BatchSize);
        var started = _time.GetTimestamp();
        var sent = new List<SentWrite>(batch.Count);
        foreach (var write in batch)
        {
            if (Send(write) is { } one) sent.Add(one);
        }

        if (sent.Count == 0) return true;

        try
        {
            await Task.WhenAll(sent.Select(one => (Task)one.Answer)).WaitAsync(_options.WriteTimeout, _time);
        }
        catch (Exception)
        {
            // Each is looked at below.
        }

        var took = _time.GetElapsedTime(started);
        var answered = true;
        foreach (var part in sent.GroupBy(one => one.Part)) answered &= Settle(part.Key, part, took);
        return answered;
    }

    /// <summary>Looks whether the store can be used, and whether it is what it was.</summary>
    internal Task ProbeAsync() => _parts.ProbeAsync();

    /// <summary>Offers every known session again where the store may lack some, as long as it takes writes.</summary>
    internal async Task ReofferAsync(CancellationToken cancellationToken)
    {
        var parts = _parts.TakeReoffer();
        if (parts.Count == 0) return;

        const int StepsPerSecond = 20;
        var step = Math.Max(1, _options.ReofferedPerSecond / StepsPerSecond);
        var offered = 0;
        foreach (var zone in _zones.Values)
        {
            foreach (var session in zone.Zone.Table.Export())
            {
                if (_parts.Of(new(zone.Owner, session.Key)) is not { } part || !parts.Contains(part)) continue;

                if (++offered % step == 0) await PauseAsync();
                while (part.IsWritable && _pending.Active > _options.MaxPending / 4) await PauseAsync();
                if (part.IsWritable)
                {
                    Add(zone, session.Key, null, announce: false, session.Age);
                    continue;
                }

                part.MustReoffer();
                parts.Remove(part);
                if (parts.Count == 0) return;
            }
        }

        Task PauseAsync() => Task.Delay(TimeSpan.FromSeconds(1.0 / StepsPerSecond), _time, cancellationToken);
    }

    /// <summary>Null: it is not to be written any more, or cannot be now.</summary>
    private SentWrite? Send(PendingWrite write)
    {
        var zone = write.Zone;
        if (zone.PeerOf(write.Key, out var ordinal) is not { } peer)
        {
            _pending.Done(write, null);
            return null;
        }

        var key = new SharedKey(zone.Owner, write.Key);
        if (_parts.Of(key) is not { IsWritable: true } part)
        {
            Hold(write, key);
            return null;
        }

        var value = SharedRecord.Value(peer);
        var lifetime = zone.Lifetime - write.Age;
        var announcement = write.Announce ? SharedRecord.Announcement(_sender, key, value) : null;
        try
        {
            return new(write, part, ordinal, peer, value, _store.WriteAsync(new(key, value, write.ReplacedValues(), lifetime, announcement)));
        }
        catch (Exception e)
        {
            return new(write, part, ordinal, peer, value, Task.FromException<byte[]>(e));
        }
    }

    private void Hold(PendingWrite write, in SharedKey key)
    {
        if (!_pending.TryHold(write))
            Drop(_parts.Of(key));
        else if (_parts.Of(key) is { IsWritable: true })
            _pending.Release(); // it came back just now, and released what was held before
    }

    private void Drop(StoreHealth? part)
    {
        part?.MustReoffer();
        _observer.Done(SharingOperation.Write, SharingOutcome.Dropped, TimeSpan.Zero);
    }

    /// <summary>Acts on the answers of a part of the store; false: it did not answer all.</summary>
    private bool Settle(StoreHealth part, IEnumerable<SentWrite> sent, TimeSpan took)
    {
        var (answered, cause) = (true, default(Exception));
        foreach (var one in sent)
        {
            if (Settle(one, took)) continue;

            answered = false;
            cause ??= one.Answer.Exception;
        }

        if (answered)
            part.WriteSucceeded();
        else
            part.WriteFailed(cause);
        return answered;
    }

    /// <summary>Acts on the answer to a write; false: there is none.</summary>
    private bool Settle(SentWrite sent, TimeSpan took)
    {
        if (sent.Answer.Exception?.GetBaseException() is UnusableKeyException unusable)
        {
            _observer.Done(SharingOperation.Write, SharingOutcome.Unusable, took);
            _observer.Unusable(unusable.Message);
            _pending.Done(sent.Write, null);
            return true;
        }

        if (!sent.Answer.IsCompletedSuccessfully)
        {
            _observer.Done(SharingOperation.Write, sent.Answer.IsFaulted ? SharingOutcome.Failed : SharingOutcome.Timeout, took);
            _pending.Failed(sent.Write);
            return false;
        }

        var stored = sent.Answer.Result;
        if (stored.AsSpan().SequenceEqual(sent.Value))
        {
            _observer.Done(SharingOperation.Write, SharingOutcome.Ok, took);
            _pending.Done(sent.Write, sent.Peer);
            return true;
        }

        GiveWay(sent.Write, sent.Ordinal, stored, took);
        return true;
    }

    /// <summary>The store has another binding.</summary>
    private void GiveWay(PendingWrite write, int offered, byte[] stored, TimeSpan took)
    {
        if (!SharedRecord.TryReadPeer(stored, out var winner))
        {
            _observer.Done(SharingOperation.Write, SharingOutcome.Unknown, took);
            _pending.Done(write, null);
            return;
        }

        // What has been bound meanwhile is written next and knows of the winner.
        _pending.Done(write, winner);
        if (write.Zone.TryAdopt(write.Key, winner, offered, out var outcome))
        {
            _observer.Done(SharingOperation.Write, SharingOutcome.Lost, took);
            _observer.Conflict();
            if (outcome == LearnOutcome.Rebound) _observer.Adopted();
            return;
        }

        _observer.Done(SharingOperation.Write, SharingOutcome.Unknown, took);
        Add(write.Zone, write.Key, winner, announce: true, TimeSpan.Zero);
    }

    private async Task<bool> ReadAsync(SharedZone zone, SharedKey key, StoreHealth part)
    {
        var started = _time.GetTimestamp();
        var outcome = SharingOutcome.Failed;
        try
        {
            var value = await _store.ReadAsync(key).WaitAsync(_options.ReadBudget, _time);
            part.ReadSucceeded();
            outcome = value is null ? SharingOutcome.Missing
                : SharedRecord.TryReadPeer(value, out var peer) && zone.TryAdopt(key.Session, peer, SessionTable.Unbound, out _) ? SharingOutcome.Ok
                : SharingOutcome.Unknown;
        }
        catch (UnusableKeyException e)
        {
            outcome = SharingOutcome.Unusable;
            _observer.Unusable(e.Message);
        }
        catch (Exception e)
        {
            if (e is TimeoutException) outcome = SharingOutcome.Timeout;
            part.ReadFailed(e);
        }
        finally
        {
            Interlocked.Decrement(ref _readsUnderway);
        }

        _observer.Done(SharingOperation.Read, outcome, _time.GetElapsedTime(started));
        if (outcome == SharingOutcome.Ok) _observer.Adopted();
        return outcome == SharingOutcome.Ok;
    }

    private void Hear(ReadOnlyMemory<byte> announcement)
    {
        if (!SharedRecord.TryReadAnnouncement(announcement.Span, out var sender, out var key, out var peer))
        {
            _observer.Done(SharingOperation.Hear, SharingOutcome.Unknown, TimeSpan.Zero);
            return;
        }

        if (sender == _sender || !_zones.TryGetValue(key.Owner, out var zone) || _pending.Contains(zone, key.Session)) return;

        var known = zone.TryAdopt(key.Session, peer, null, out var outcome);
        _observer.Done(SharingOperation.Hear, known ? SharingOutcome.Ok : SharingOutcome.Unknown, TimeSpan.Zero);
        if (outcome is LearnOutcome.Created or LearnOutcome.Rebound) _observer.Adopted();
    }

    private async Task WriteAllAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await _pending.WaitAsync(cancellationToken);
            if (!await WriteBatchAsync()) await Task.Delay(_options.ProbeInterval / 10, _time, cancellationToken);
        }
    }

    private async Task ReofferAllAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(_options.ProbeInterval, _time);
        do await ReofferAsync(cancellationToken);
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    /// <summary>A write that is underway, and what was bound when it was sent.</summary>
    private sealed record SentWrite(PendingWrite Write, StoreHealth Part, int Ordinal, string Peer, byte[] Value, Task<byte[]> Answer);
}
