using Microsoft.Extensions.Time.Testing;
using StickyIngress.Control.Sources;

namespace StickyIngress.Control.Tests;

public sealed class CoalescerTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Ends_when_nothing_happened_for_the_quiet_period()
    {
        using var storm = new Coalescer(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1), _time);
        storm.Signal();
        var wait = storm.WaitAsync(TestContext.Current.CancellationToken);

        _time.Advance(TimeSpan.FromMilliseconds(49));
        var early = wait.IsCompleted;
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await wait.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);

        Assert.False(early);
    }

    [Fact]
    public async Task Ends_at_the_ceiling_however_long_the_storm_goes_on()
    {
        using var storm = new Coalescer(TimeSpan.FromMilliseconds(150), TimeSpan.FromMilliseconds(200), _time);
        storm.Signal();
        var wait = storm.WaitAsync(TestContext.Current.CancellationToken);

        _time.Advance(TimeSpan.FromMilliseconds(100));
        storm.Signal();
        _time.Advance(TimeSpan.FromMilliseconds(90));
        var early = wait.IsCompleted;
        _time.Advance(TimeSpan.FromMilliseconds(10));
        storm.Signal();
        await wait.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);

        Assert.False(early);
    }

    [Fact]
    public async Task What_happens_while_nobody_waits_counts_for_the_next_wait()
    {
        using var storm = new Coalescer(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1), _time);
        storm.Signal();
        storm.Signal();
        var first = storm.WaitAsync(TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        await first.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);

        var second = storm.WaitAsync(TestContext.Current.CancellationToken);
        var before = second.IsCompleted;
        storm.Signal();
        _time.Advance(TimeSpan.FromMilliseconds(50));
        while (!second.IsCompleted)
        {
            await Task.Yield();
            _time.Advance(TimeSpan.FromMilliseconds(50));
        }

        Assert.False(before);
    }
}
