namespace StickyIngress.Kubernetes;

/// <summary>
/// Events that a watch could not read, and when to list because of them: soon after the first, and the later the more follow, so that an object
/// or a way to the server that stays broken costs little.
/// </summary>
internal sealed class UnreadableEvents(WatchTimes times, TimeProvider time, Random random)
{
    private readonly Backoff _backoff = new(times.FirstRetry, times.LastRelist, random);
    private DateTimeOffset? _due;
    private DateTimeOffset _calmFrom;

    /// <summary>There was one since the last list.</summary>
    public bool Happened => _due is not null;

    public bool IsDue => _due <= time.GetUtcNow();

    public void Note()
    {
        if (Happened) return;

        var now = time.GetUtcNow();
        if (now >= _calmFrom) _backoff.Reset();
        _due = now + _backoff.Next();
        _calmFrom = now + 2 * times.LastRelist;
    }

    /// <summary>That patience, but no more than is left until a list is due.</summary>
    public TimeSpan Within(TimeSpan patience)
    {
        if (_due is not { } due) return patience;

        var left = due - time.GetUtcNow();
        // A timer that rings a fraction too soon would be taken for the end of the patience.
        left = (left > TimeSpan.Zero ? left : TimeSpan.Zero) + TimeSpan.FromMilliseconds(1);
        return left < patience ? left : patience;
    }

    public void Listed() => _due = null;
}
