using StickyIngress.Core.Sessions;

namespace StickyIngress.Core.Tests.Sessions;

public sealed class SessionTableSoakTests
{
    [Theory]
    [InlineData(2_000)] // one shard, always full
    [InlineData(100_000)] // several, never full
    public async Task Many_threads_leave_a_consistent_table(int capacity)
    {
        var table = new SessionTable(new(capacity, TimeSpan.FromMilliseconds(100)), TimeProvider.System);
        var workers = Enumerable.Range(0, 6).Select(seed => Task.Run(() => Work(table, new Random(seed), capacity)));

        await Task.WhenAll(workers);

        SessionInvariants.Check(table);
        Assert.True(table.EndedTotal(SessionEnd.Replaced) > 0);
    }

    [Fact]
    public async Task A_session_that_stays_is_found_while_all_around_it_changes()
    {
        var table = new SessionTable(new(50_000, TimeSpan.FromHours(1)), TimeProvider.System);
        for (var i = 0; i < 100; i++)
        {
            table.Learn(SessionTableTests.Key(i), i, mayCreate: true);
            table.Learn(SessionTableTests.Key(i), i, mayCreate: true);
        }

        var writer = Task.Run(() =>
        {
            for (var i = 0; i < 400_000; i++) table.Learn(SessionTableTests.Key(1_000 + i), 0, mayCreate: true);
        });
        var missed = 0;
        while (!writer.IsCompleted)
        {
            for (var i = 0; i < 100; i++)
            {
                if (!table.TryFind(SessionTableTests.Key(i), out var ordinal) || ordinal != i) missed++;
            }
        }

        await writer;
        Assert.Equal(0, missed);
        SessionInvariants.Check(table);
    }

    private static void Work(SessionTable table, Random random, int capacity)
    {
        for (var i = 0; i < 100_000; i++)
        {
            var key = SessionTableTests.Key(random.Next(5_000));
            table.TryFind(key, out var expected);
            var result = table.Learn(key, random.Next(8), mayCreate: true, expected);
            Assert.InRange(result.Ordinal, 0, 7);
            Assert.InRange(table.Count, 0, capacity);
            if (i % 1_000 == 0) table.Sweep();
        }
    }
}
