using Microsoft.Extensions.Time.Testing;

namespace StickyIngress.Kubernetes.Tests;

public sealed class UnreadableEventsTests
{
    private static readonly WatchTimes Times = new() { FirstRetry = TimeSpan.FromMilliseconds(100), LastRelist = TimeSpan.FromSeconds(60) };

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_list_is_due_soon_after_the_first()
    {
        var events = new UnreadableEvents(Times, _time, new Random(1));
        events.Note();
        var atOnce = events.IsDue;

        _time.Advance(Times.FirstRetry);

        Assert.Equal((false, true), (atOnce, events.IsDue));
    }

    [Fact]
    public void Events_that_keep_coming_cause_no_more_than_a_few_lists()
    {
        var events = new UnreadableEvents(Times, _time, new Random(1));
        var lists = 0;
        for (var begin = _time.GetUtcNow(); _time.GetUtcNow() - begin < TimeSpan.FromHours(1); _time.Advance(TimeSpan.FromMilliseconds(100)))
        {
            events.Note();
            if (!events.IsDue) continue;

            lists++;
            events.Listed();
        }

        // Waits of 30 to 60 seconds, and ten that grow to that.
        Assert.InRange(lists, 60, 130);
    }

    [Fact]
    public void After_a_calm_time_the_first_wait_is_short_again()
    {
        var events = new UnreadableEvents(Times, _time, new Random(1));
        for (var turn = 0; turn < 20; turn++)
        {
            events.Note();
            events.Listed();
        }

        _time.Advance(3 * Times.LastRelist);
        events.Note();
        _time.Advance(Times.FirstRetry);

        Assert.True(events.IsDue);
    }
}
