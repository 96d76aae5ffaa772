using Microsoft.Extensions.Time.Testing;

namespace StickyIngress.Control.Tests;

public sealed class AlarmTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private int _rung;

    [Fact]
    public void Rings_once_at_a_moment_further_away_than_any_timer_can_wait()
    {
        using var alarm = new Alarm(() => _rung++, _time);
        alarm.Set(_time.GetUtcNow().AddDays(400));

        _time.Advance(TimeSpan.FromDays(399));
        Assert.Equal(0, _rung);

        _time.Advance(TimeSpan.FromDays(1));
        _time.Advance(TimeSpan.FromDays(1000));
        Assert.Equal(1, _rung);
    }

    [Fact]
    public void Rings_at_the_moment_that_was_set_last_and_at_once_for_one_that_has_passed()
    {
        using var alarm = new Alarm(() => _rung++, _time);
        alarm.Set(_time.GetUtcNow().AddHours(1));

        alarm.Set(null);
        _time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(0, _rung);

        alarm.Set(_time.GetUtcNow().AddHours(-1));
        _time.Advance(TimeSpan.Zero);
        Assert.Equal(1, _rung);
    }
}
