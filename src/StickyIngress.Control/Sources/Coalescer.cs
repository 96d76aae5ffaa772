namespace StickyIngress.Control.Sources;

/// <summary>
/// Turns a storm of events into one: it waits until nothing has happened for the quiet period, which each event restarts, but
/// never longer than the ceiling after the first event.
/// </summary>
public sealed class Coalescer(TimeSpan quiet, TimeSpan ceiling, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _signal = new(0, 1);

    /// <summary>Something happened. Never blocks; callable from any thread.</summary>
    public void Signal()
    {
        try
        {
            if (_signal.CurrentCount == 0) _signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // Another thread signalled in between; one signal says as much as two.
        }
    }

    /// <summary>Ends once something happened and the storm is over. What happens later counts for the next call.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        await _signal.WaitAsync(cancellationToken);
        var first = time.GetTimestamp();
        while (true)
        {
            var left = ceiling - time.GetElapsedTime(first);
            if (left <= TimeSpan.Zero) return;
            if (!await SignalledWithinAsync(quiet < left ? quiet : left, cancellationToken)) return;
        }
    }

    public void Dispose() => _signal.Dispose();

    private async Task<bool> SignalledWithinAsync(TimeSpan period, CancellationToken cancellationToken)
    {
        using var over = new CancellationTokenSource(period, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellationToken);
        try
        {
            await _signal.WaitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
