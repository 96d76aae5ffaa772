namespace StickyIngress.Control;

/// <summary>Calls back at a moment that may be years away, which no timer can wait for in one go.</summary>
internal sealed class Alarm : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    private readonly Action _ring;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private DateTimeOffset? _at;

    public Alarm(Action ring, TimeProvider time)
    {
        (_ring, _time) = (ring, time);
        _timer = time.CreateTimer(_ => Elapsed(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Rings then, once, and no more at a moment that was set before; null: never.</summary>
    public void Set(DateTimeOffset? at)
    {
        lock (_gate)
        {
            if (_at == at) return;

            _at = at;
            Wait();
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Elapsed()
    {
        lock (_gate)
        {
            if (_at is not { } at) return;

            if (at > _time.GetUtcNow())
            {
                Wait();
                return;
            }

            _at = null;
        }

        _ring();
    }

    private void Wait()
    {
        if (_at is not { } at)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        var left = at - _time.GetUtcNow();
        _timer.Change(left <= TimeSpan.Zero ? TimeSpan.Zero : left < Longest ? left : Longest, Timeout.InfiniteTimeSpan);
    }
}
