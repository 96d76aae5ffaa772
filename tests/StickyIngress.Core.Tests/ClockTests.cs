using Microsoft.Extensions.Time.Testing;

namespace StickyIngress.Core.Tests;

public sealed class ClockTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.FromUnixTimeMilliseconds(5_000));

    [Fact]
    public void It_goes_on_with_the_time()
    {
        var clock = new Clock(_time);
        Assert.Equal((5_000, 5), (clock.Milliseconds, clock.Seconds));

        _time.Advance(TimeSpan.FromMilliseconds(1_999));

        Assert.Equal((6_999, 6), (clock.Milliseconds, clock.Seconds));
    }

    [Fact]
    public void Within_a_turn_it_stands_still_for_that_thread_once_it_was_read()
    {
        var clock = new Clock(_time);
        long[] read = [];

        // A turn never ends for the thread that began it, so it must not be one that other tests get.
        OnThread(() =>
        {
            Clock.BeginTurn();
            _time.Advance(TimeSpan.FromMilliseconds(1));
            var first = clock.Milliseconds;
            _time.Advance(TimeSpan.FromMilliseconds(10));
            var second = clock.Milliseconds;
            long elsewhere = 0;
            OnThread(() => elsewhere = clock.Milliseconds);
            var other = new Clock(_time).Milliseconds;
            Clock.BeginTurn();
            read = [first, second, elsewhere, other, clock.Milliseconds];
        });

        Assert.Equal([5_001, 5_001, 5_011, 5_011, 5_011], read);
    }

    private static void OnThread(ThreadStart action)
    {
        var thread = new Thread(action);
        thread.Start();
        thread.Join();
    }
}
