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
    private readonly StoreHealth _health;
    private readonly long _sender = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));
    private int _readsUnderway;

    public SessionSharing(ISharedStore store, SharingOptions options, TimeProvider time, ISharingObserver observer)
    {
        (_store, _options, _time, _observer) = (store, options, time, observer);
        (_pending, _health) = (new(options.MaxPending), new(store, options, time, observer));
        store.Announced += Hear;
    }

    /// <summary>The store cannot be read within the budget, or not be written.</summary>
    public bool IsAway => _health.IsAway;

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
        Task.WhenAll(WriteAllAsync(cancellationToken), _health.RunAsync(cancellationToken), ReofferAllAsync(cancellationToken));

    internal void Add(SharedZone zone, in SessionKey key, string? former, bool announce, TimeSpan age)
    {
        if (_pending.TryAdd(zone, key, former, announce, age)) return;

        _health.MustReoffer();
        _observer.Done(SharingOperation.Write, SharingOutcome.Dropped, TimeSpan.Zero);
    }

    internal bool IsRefreshDue(in SessionKey key, TimeSpan unused, TimeSpan timeout)
    {
        var period = Math.Max(1, timeout.Ticks / RefreshesPerTimeout);
        var now = _time.GetElapsedTime(0).Ticks + (long)(key.Low % (ulong)period);
        return now / period != (now - unused.Ticks) / period;
    }

    internal ValueTask<bool> FetchAsync(SharedZone zone, in SessionKey key)
    {
        if (!_health.IsReadable) return new(false);
        if (Interlocked.Increment(ref _readsUnderway) <= _options.MaxReads) return new(ReadAsync(zone, key));

        Interlocked.Decrement(ref _readsUnderway);
        _observer.Done(SharingOperation.Read, SharingOutcome.Dropped, TimeSpan.Zero);
        return new(false);
    }

    /// <summary>Writes one batch of what waits; false: the store did not answer all of it.</summary>
    internal async Task<bool> WriteBatchAsync()
    {
        var batch = new List<PendingWrite>();
        _pending.Take(batch, BatchSize);
        if (batch.Count == 0) return true;

        var started = _time.GetTimestamp();
        var sent = batch.Select(Send).ToArray();
        try
        {
            await Task.WhenAll(sent.Select(one => one.Answer)).WaitAsync(_options.WriteTimeout, _time);
        }
        catch (Exception)
        {
            // Each is looked at below.
        }

        var took = _time.GetElapsedTime(started);
        var failed = false;
        for (var i = 0; i < sent.Length; i++) failed |= !Settle(batch[i], sent[i], took);
        if (failed) _health.WriteFailed(sent.Select(one => one.Answer).FirstOrDefault(answer => answer.IsFaulted)?.Exception);
        else _health.WriteSucceeded();
        return !failed;
    }

    /// <summary>Looks whether the store can be used, and whether it is what it was.</summary>
    internal Task ProbeAsync() => _health.ProbeAsync();

    /// <summary>Offers every known session again where the store may lack some, as long as it takes writes.</summary>
    internal async Task ReofferAsync(CancellationToken cancellationToken)
    {
        if (!_health.TakeReoffer()) return;

        const int StepsPerSecond = 20;
        var step = Math.Max(1, _options.ReofferedPerSecond / StepsPerSecond);
        var offered = 0;
        foreach (var zone in _zones.Values)
        {
            foreach (var session in zone.Zone.Table.Export())
            {
                if (++offered % step == 0) await PauseAsync();
                while (_health.IsWritable && _pending.Count > _options.MaxPending / 2) await PauseAsync();
                if (!_health.IsWritable)
                {
                    _health.MustReoffer();
                    return;
                }

                Add(zone, session.Key, null, announce: false, session.Age);
            }
        }

        Task PauseAsync() => Task.Delay(TimeSpan.FromSeconds(1.0 / StepsPerSecond), _time, cancellationToken);
    }

    private (int Ordinal, string? Peer, byte[] Value, Task<byte[]> Answer) Send(PendingWrite write)
    {
        var zone = write.Zone;
        if (zone.PeerOf(write.Key, out var ordinal) is not { } peer) return (SessionTable.Unbound, null, [], Task.FromResult<byte[]>([]));

        var key = new SharedKey(zone.Owner, write.Key);
        var value = SharedRecord.Value(peer);
        var lifetime = zone.Lifetime - write.Age;
        var announcement = write.Announce ? SharedRecord.Announcement(_sender, key, value) : null;
        try
        {
            return (ordinal, peer, value, _store.WriteAsync(new(key, value, [.. write.Replaced.Select(SharedRecord.Value)], lifetime, announcement)));
        }
        catch (Exception e)
        {
            return (ordinal, peer, value, Task.FromException<byte[]>(e));
        }
    }

    /// <summary>Acts on the answer to a write; false: there is none.</summary>
    private bool Settle(PendingWrite write, (int Ordinal, string? Peer, byte[] Value, Task<byte[]> Answer) sent, TimeSpan took)
    {
        if (sent.Peer is null)
        {
            _pending.Done(write, null);
            return true;
        }

        if (!sent.Answer.IsCompletedSuccessfully)
        {
            _observer.Done(SharingOperation.Write, sent.Answer.IsFaulted ? SharingOutcome.Failed : SharingOutcome.Timeout, took);
            _ = sent.Answer.Exception;
            _pending.Failed(write);
            return false;
        }

        var stored = sent.Answer.Result;
        if (stored.AsSpan().SequenceEqual(sent.Value))
        {
            _observer.Done(SharingOperation.Write, SharingOutcome.Ok, took);
            _pending.Done(write, sent.Peer);
            return true;
        }

        GiveWay(write, sent.Ordinal, stored, took);
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

    private async Task<bool> ReadAsync(SharedZone zone, SessionKey key)
    {
        var started = _time.GetTimestamp();
        var outcome = SharingOutcome.Failed;
        try
        {
            var value = await _store.ReadAsync(new(zone.Owner, key)).WaitAsync(_options.ReadBudget, _time);
            _health.ReadSucceeded();
            outcome = value is null ? SharingOutcome.Missing
                : SharedRecord.TryReadPeer(value, out var peer) && zone.TryAdopt(key, peer, SessionTable.Unbound, out _) ? SharingOutcome.Ok
                : SharingOutcome.Unknown;
        }
        catch (Exception e)
        {
            if (e is TimeoutException) outcome = SharingOutcome.Timeout;
            _health.ReadFailed(e);
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
            while (!_health.IsWritable) await Task.Delay(_options.ProbeInterval / 10, _time, cancellationToken);
            if (!await WriteBatchAsync()) await Task.Delay(_options.ProbeInterval / 10, _time, cancellationToken);
        }
    }

    private async Task ReofferAllAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(_options.ProbeInterval, _time);
        do await ReofferAsync(cancellationToken);
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }
}
