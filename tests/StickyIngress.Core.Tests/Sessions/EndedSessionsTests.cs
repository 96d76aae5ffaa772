using StickyIngress.Core.Sessions;

namespace StickyIngress.Core.Tests.Sessions;

public sealed class EndedSessionsTests
{
    [Theory]
    [InlineData(SessionEnd.Timeout)]
    [InlineData(SessionEnd.Evicted)]
    [InlineData(SessionEnd.PeerGone)]
    public void An_end_is_remembered_with_its_reason(SessionEnd reason)
    {
        var ended = new EndedSessions(100);
        ended.Add(SessionTableTests.Key(1), reason);

        Assert.True(ended.TryFind(SessionTableTests.Key(1), out var found));
        Assert.Equal(reason, found);
        Assert.False(ended.TryFind(SessionTableTests.Key(2), out _));
    }

    [Fact]
    public void Many_ends_take_no_more_room_and_the_latest_are_known_best()
    {
        var ended = new EndedSessions(10_000);
        for (var i = 0; i < 100_000; i++) ended.Add(SessionTableTests.Key(i), SessionEnd.Evicted);

        Assert.Equal(16_384 * sizeof(ulong), ended.Bytes);
        Assert.InRange(Enumerable.Range(99_000, 1_000).Count(i => ended.TryFind(SessionTableTests.Key(i), out _)), 900, 1_000);
        Assert.InRange(Enumerable.Range(0, 1_000).Count(i => ended.TryFind(SessionTableTests.Key(i), out _)), 0, 50);
    }
}
