namespace StickyIngress.Control.Sources;

/// <summary>
/// Turns a storm of events into one: it waits until nothing has happened for the quiet period, which each event restarts, but
/// never longer than the ceiling after the first event. One waits at a time.
/// </summary>
public sealed class Coalescer(TimeSpan quiet, TimeSpan ceiling, TimeProvider time) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _begun = new(0, 1);
    private bool _storm;
    private long _first;
    private long _last;

    /// <summary>Something happened. Never blocks; callable from any thread.</summary>
    public void Signal()
    {
        lock (_gate)
        {
            _last = time.GetTimestamp();
            if (_storm) return;

            (_storm, _first) = (true, _last);
            _begun.Release();
        }
    }

    /// <summary>Ends once something happened and the storm is over. What happens later counts for the next call.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        await _begun.WaitAsync(cancellationToken);
        while (Left() is var left && left > TimeSpan.Zero)
        {
            // Whole milliseconds, as timers have them: with less it would not wait but spin.
            var wait = TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds));
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!cancellationToken.IsCancellationRequested) continue;

            _begun.Release();
            throw new OperationCanceledException(cancellationToken);
        }
    }

    public void Dispose() => _begun.Dispose();

    /// <summary>Until the storm is over; where it is, the next event begins another.</summary>
    private TimeSpan Left()
    {
        lock (_gate)
        {
            var untilQuiet = quiet - time.GetElapsedTime(_last);
            var untilCeiling = ceiling - time.GetElapsedTime(_first);
            var left = untilQuiet < untilCeiling ? untilQuiet : untilCeiling;
            if (left <= TimeSpan.Zero) _storm = false;
            return left;
        }
    }
}
