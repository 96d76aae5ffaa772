namespace StickyIngress.Core;

/// <summary>
/// The time that decisions are made by: Unix time that never goes back, since it is the wall clock at start plus what a
/// monotonic counter has measured since. nginx counts failures in whole seconds of it and response times in milliseconds.
/// </summary>
public sealed class Clock
{
    private readonly TimeProvider _time;
    private readonly long _startMilliseconds;
    private readonly long _startTimestamp;

    public Clock(TimeProvider time)
    {
        _time = time;
        _startMilliseconds = time.GetUtcNow().ToUnixTimeMilliseconds();
        _startTimestamp = time.GetTimestamp();
    }

    /// <summary>Unix time in milliseconds.</summary>
    public long Milliseconds => _startMilliseconds + (long)_time.GetElapsedTime(_startTimestamp).TotalMilliseconds;

    /// <summary>Unix time in whole seconds.</summary>
    public long Seconds => Milliseconds / 1000;
}
