namespace StickyIngress.Core;

/// <summary>
/// The time that decisions are made by: Unix time that never goes back, since it is the wall clock at start plus what a
/// monotonic counter has measured since. nginx counts failures in whole seconds of it and response times in milliseconds.
/// </summary>
public sealed class Clock
{
    [ThreadStatic]
    private static Turn _turn;

    private readonly long _startMilliseconds;
    private readonly long _startTimestamp;

    public Clock(TimeProvider time)
    {
        Time = time;
        _startMilliseconds = time.GetUtcNow().ToUnixTimeMilliseconds();
        _startTimestamp = time.GetTimestamp();
    }

    /// <summary>For what waits.</summary>
    public TimeProvider Time { get; }

    /// <summary>Unix time in milliseconds.</summary>
    public long Milliseconds
    {
        get
        {
            ref var turn = ref _turn;
            if (turn.Clock == this) return turn.Milliseconds;

            var now = _startMilliseconds + (long)Time.GetElapsedTime(_startTimestamp).TotalMilliseconds;
            if (turn.HasBegun) (turn.Clock, turn.Milliseconds) = (this, now);
            return now;
        }
    }

    /// <summary>Unix time in whole seconds.</summary>
    public long Seconds => Milliseconds / 1000;

    /// <summary>
    /// This thread begins something that is over soon. Until it calls this again, all clocks stand still for it after they were read once, since a request
    /// reads the time a dozen times.
    /// </summary>
    public static void BeginTurn() => _turn = new() { HasBegun = true };

    private struct Turn
    {
        public bool HasBegun;
        public Clock? Clock;
        public long Milliseconds;
    }
}
