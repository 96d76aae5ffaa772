namespace StickyIngress.Core;

/// <summary>What a timer can be asked for.</summary>
public static class Timers
{
    /// <summary>Some 24 days, half of what a timer takes.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(int.MaxValue);

    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    /// <summary>That time, or as much of it as a timer can wait; never zero, so that a callback does not come before its timer.</summary>
    public static TimeSpan AtMost(TimeSpan time) => time > Longest ? Longest : time < Shortest ? Shortest : time;
}
