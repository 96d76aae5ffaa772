namespace StickyIngress.Core.Sharing;

/// <summary>
/// Whether a part of the store can be used, and whether it is what it was: two breakers, for reads and for writes, which failures open and
/// only probes close, so that no request is spent on trying.
/// </summary>
internal sealed class StoreHealth(ISharedStore store, string part, SharingOptions options, TimeProvider time, ISharingObserver observer)
{
    /// <summary>A store that is not reached at once when the process starts is nothing to tell; after so many probes it is.</summary>
    private const int ProbesUntilTold = 10;

    /// <summary>A store that takes probes and no sessions is tried more and more rarely, and at least this often.</summary>
    private static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(10);

    private readonly CircuitBreaker _reads = new(failuresInARow: 5);
    private readonly CircuitBreaker _writes = new(failuresInARow: 2);
    private readonly Lock _judging = new();
    private string _life = "";
    private bool _away = true;
    private int _failedAtStart;
    private int _mustReoffer = 1; // what a session file held

    // Since then no probe closes the breaker of writes, for that long; guarded by the lock.
    private long _heldSince;
    private TimeSpan _hold;

    /// <summary>It takes writes again.</summary>
    public event Action? Writable;

    public bool IsReadable => !_reads.IsOpen;

    public bool IsWritable => !_writes.IsOpen;

    public bool IsAway => !IsReadable || !IsWritable;

    /// <summary>The store may lack sessions that are known here.</summary>
    public void MustReoffer() => Volatile.Write(ref _mustReoffer, 1);

    /// <summary>Whether all sessions are to be offered again, which is then up to the caller.</summary>
    public bool TakeReoffer() => IsWritable && Interlocked.Exchange(ref _mustReoffer, 0) == 1;

    public void ReadSucceeded() => _reads.Succeeded();

    public void ReadFailed(Exception e)
    {
        if (_reads.Failed()) Judge(e is TimeoutException ? "it does not answer within the read budget" : Cause(e));
    }

    public void WriteSucceeded()
    {
        _writes.Succeeded();
        lock (_judging) _hold = TimeSpan.Zero;
    }

    /// <param name="cause">Null: there was no answer.</param>
    public void WriteFailed(Exception? cause)
    {
        // In one step: a probe that succeeds between would close the breaker again, or tell of it without a cause.
        lock (_judging)
        {
            _heldSince = time.GetTimestamp();
            if (!_writes.Failed()) return;

            _hold = TimeSpan.FromTicks(Math.Clamp(2 * _hold.Ticks, options.ProbeInterval.Ticks, LongestHold.Ticks));
            Judge(cause is null ? "it does not answer writes" : "it refuses a session: " + Cause(cause));
        }
    }

    public async Task ProbeAsync()
    {
        try
        {
            var found = await store.ProbeAsync(part).WaitAsync(options.WriteTimeout, time);
            var started = time.GetTimestamp();
            await store.TryReadAsync(part).WaitAsync(options.WriteTimeout, time);
            Found(found, fast: time.GetElapsedTime(started) <= options.ReadBudget);
        }
        catch (Exception e)
        {
            _writes.Open();
            _reads.Open();
            var reason = e is TimeoutException ? "it does not answer" : Cause(e);
            Judge(reason);
            if (_life.Length == 0 && ++_failedAtStart == ProbesUntilTold) observer.Away(part, reason);
        }
    }

    private static string Cause(Exception e) => e.GetBaseException().Message;

    private void Found(StoreProbe found, bool fast)
    {
        lock (_judging)
        {
            if (fast) _reads.Close();
            if (found.Writable && _writes.IsOpen && time.GetElapsedTime(_heldSince) >= _hold)
            {
                _writes.Close();
                MustReoffer();
                Writable?.Invoke();
            }

            if (!found.Writable) _writes.Open();
            if (found.Life != _life && found.Life.Length > 0)
            {
                _life = found.Life;
                MustReoffer();
            }

            Judge(!found.Writable ? "it takes no writes" : fast ? "" : "it answers more slowly than the read budget");
        }
    }

    private void Judge(string reason)
    {
        lock (_judging)
        {
            if (IsAway == _away) return;

            _away = !_away;
            if (_away) observer.Away(part, reason);
            else observer.Back(part);
        }
    }
}
