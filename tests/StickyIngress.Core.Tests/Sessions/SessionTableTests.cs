using CsCheck;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Core.Sessions;

namespace StickyIngress.Core.Tests.Sessions;

public sealed class SessionTableTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_learned_session_is_found_until_its_timeout_has_passed()
    {
        var table = Table(capacity: 10, TimeSpan.FromSeconds(2));
        table.Learn(Key(1), 7, mayCreate: true);

        _time.Advance(TimeSpan.FromMilliseconds(1_999));
        table.Sweep();
        Assert.True(table.TryFind(Key(1), out var ordinal));
        Assert.Equal(7, ordinal);

        _time.Advance(TimeSpan.FromMilliseconds(1)); // the lookup has not refreshed it
        table.Sweep();
        Assert.False(table.TryFind(Key(1), out ordinal));
        Assert.Equal(SessionTable.Unbound, ordinal);
        Assert.Equal((0, 1L), (table.Count, table.EndedTotal(SessionEnd.Timeout)));
    }

    [Fact]
    public void A_session_with_an_open_request_does_not_end_and_its_time_begins_when_the_last_one_is_closed()
    {
        var table = Table(capacity: 10, TimeSpan.FromSeconds(2));
        var told = 0;
        table.Learn(Key(1), 7, mayCreate: true);
        table.Learned = learned => told += learned.Result is { Outcome: LearnOutcome.Refreshed, Ordinal: 7 } ? 1 : 0;
        var (first, second) = (table.Open(Key(1)), table.Open(Key(1)));

        Pass(table, TimeSpan.FromSeconds(10));
        table.Close(first);
        Pass(table, TimeSpan.FromSeconds(10));
        table.Close(second);
        Assert.True(table.TryFind(Key(1), out var ordinal));
        Assert.Equal((7, true), (ordinal, told > 0));

        Pass(table, TimeSpan.FromSeconds(2));
        Assert.False(table.TryFind(Key(1), out _));
    }

    [Fact]
    public void A_session_with_an_open_request_is_not_the_oldest_when_room_is_made()
    {
        var table = Table(2, TimeSpan.FromMinutes(10));
        LearnInTurn(table, 1, 1);
        table.Open(Key(1));
        _time.Advance(TimeSpan.FromMinutes(5));
        LearnInTurn(table, 2, 2);
        _time.Advance(TimeSpan.FromMinutes(4));
        table.Sweep();

        LearnInTurn(table, 3);

        Assert.Equal([1, 3], Live(table, 3));
    }

    [Fact]
    public void An_unknown_session_is_not_created_unless_that_is_allowed()
    {
        var table = Table(10);

        Assert.Equal(new LearnResult(LearnOutcome.Ignored, SessionTable.Unbound), table.Learn(Key(1), 3, mayCreate: false));
        Assert.Equal(0, table.Count);
    }

    [Fact]
    public void Learning_refreshes_and_rebinds()
    {
        var table = Table(10);

        Assert.Equal(LearnOutcome.Created, table.Learn(Key(1), 3, mayCreate: true).Outcome);
        Assert.Equal(LearnOutcome.Refreshed, table.Learn(Key(1), 3, mayCreate: false).Outcome);
        Assert.Equal(new LearnResult(LearnOutcome.Rebound, 4), table.Learn(Key(1), 4, mayCreate: false));

        Assert.Equal((0, 1), (table.CountFor(3), table.CountFor(4)));
        Assert.Equal((2L, 1L), (table.CreatedTotal, table.EndedTotal(SessionEnd.Replaced)));
    }

    [Theory]
    [InlineData(SessionTable.Unbound)] // both were the session's first request
    [InlineData(5)] // both found it bound to a peer that could not answer
    public void The_first_answer_wins(int boundBefore)
    {
        var table = Table(10);
        if (boundBefore >= 0) table.Learn(Key(1), boundBefore, mayCreate: true);

        var first = table.Learn(Key(1), 3, mayCreate: true, expected: boundBefore);
        var second = table.Learn(Key(1), 4, mayCreate: true, expected: boundBefore);

        Assert.Equal(3, first.Ordinal);
        Assert.Equal(new LearnResult(LearnOutcome.Adopted, 3), second);
        Assert.Equal((1, 0), (table.CountFor(3), table.CountFor(4)));
    }

    [Fact]
    public void A_full_table_evicts_the_oldest_on_probation_and_then_the_longest_unused()
    {
        var table = Table(3);
        LearnInTurn(table, 1, 2, 1, 3, 4); // 1 is protected; 2 makes room for 4
        Assert.Equal([1, 3, 4], Live(table, 4));

        LearnInTurn(table, 4, 3, 5); // nobody on probation: 1 is unused longest
        Assert.Equal([3, 4, 5], Live(table, 5));
        Assert.Equal(2, table.EndedTotal(SessionEnd.Evicted));
    }

    [Fact]
    public void A_smaller_capacity_keeps_what_fits_and_a_new_timeout_counts_at_once()
    {
        var table = Table(100);
        LearnInTurn(table, [.. Enumerable.Range(0, 100), 7, 8]);

        table.Configure(new(5, TimeSpan.FromMinutes(10)));
        table.Sweep();
        Assert.Equal([7, 8, 97, 98, 99], Live(table, 100));

        table.Configure(new(5, TimeSpan.FromSeconds(2)));
        table.Sweep();
        Assert.Equal([7, 8], Live(table, 100)); // 8 was used now, 7 a second ago, the others longer
    }

    [Fact]
    public void A_table_that_empties_gives_the_memory_back()
    {
        var table = Table(200_000);
        var empty = table.Bytes;
        for (var i = 0; i < 100_000; i++) table.Learn(Key(i), 0, mayCreate: true);
        var full = table.Bytes;

        _time.Advance(table.Timeout);
        table.Sweep();

        Assert.Equal((0, 100_000L), (table.Count, table.EndedTotal(SessionEnd.Timeout)));
        Assert.InRange(table.Bytes - empty, 0, full / 5);
        SessionInvariants.Check(table);
    }

    [Fact]
    public void A_binding_counts_why_it_was_replaced()
    {
        var table = Table(10);
        table.Learn(Key(1), 3, mayCreate: true);

        table.Learn(Key(1), 4, mayCreate: false, expected: 3, SessionEnd.PeerGone);

        Assert.Equal((1L, 0L), (table.EndedTotal(SessionEnd.PeerGone), table.EndedTotal(SessionEnd.Replaced)));
    }

    [Fact]
    public void What_is_learned_is_told_and_what_is_adopted_is_not()
    {
        var table = Table(10);
        var told = new List<LearnOutcome>();
        table.Learned = learned => told.Add(learned.Result.Outcome);

        table.Learn(Key(1), 3, mayCreate: true);
        table.Learn(Key(1), 3, mayCreate: true, expected: 3);
        table.Learn(Key(2), 3, mayCreate: false);
        Assert.Equal(new LearnResult(LearnOutcome.Rebound, 4), table.Adopt(Key(1), 4));
        Assert.Equal(new LearnResult(LearnOutcome.Created, 5), table.Adopt(Key(2), 5));

        Assert.Equal([LearnOutcome.Created, LearnOutcome.Refreshed, LearnOutcome.Ignored], told);
    }

    [Fact]
    public void What_is_exported_can_be_imported()
    {
        var table = Table(200_000);
        LearnInTurn(table, [.. Enumerable.Range(0, 500), .. Enumerable.Range(100, 20)]);
        SessionRecord[] records = [.. table.Export()];

        var other = Table(200_000);
        Assert.Equal(500, other.Import(records));

        Assert.Equal(records.OrderBy(r => r.Key.Low), other.Export().OrderBy(r => r.Key.Low));
        SessionInvariants.Check(other);
    }

    [Fact]
    public void An_import_that_does_not_fit_takes_the_last_used()
    {
        var table = Table(100);
        LearnInTurn(table, [.. Enumerable.Range(0, 100)]);

        var other = Table(3);

        Assert.Equal(3, other.Import([.. table.Export()]));
        Assert.Equal([97, 98, 99], Live(other, 100));
    }

    [Fact]
    public void A_table_of_one_shard_does_what_a_plain_list_would()
    {
        // an operation: 0..5 learn, 6 learn without creating, 7 and 8 time passes and is swept
        var operations = Gen.Select(Gen.Int[0, 8], Gen.Int[0, 12], Gen.Int[0, 3]).List[0, 200];
        operations.Sample(steps =>
        {
            var time = new FakeTimeProvider();
            var table = new SessionTable(new(8, TimeSpan.FromSeconds(20)), time);
            var model = new SessionModel(8, 20);
            foreach (var (what, id, ordinal) in steps)
            {
                if (what <= 6) Assert.Equal(model.Learn(id, ordinal, what < 6), table.Learn(Key(id), ordinal, what < 6));
                time.Advance(TimeSpan.FromSeconds(what == 7 ? 5 : 1));
                model.Now += what == 7 ? 5 : 1;
                if (what >= 7) table.Sweep();
                if (what >= 7) model.Sweep();

                for (var i = 0; i <= 12; i++) Assert.Equal((model.Find(i) >= 0, model.Find(i)), Found(table, i));
                SessionInvariants.Check(table);
            }
        });
    }

    [Fact]
    public void A_flood_of_new_sessions_loses_no_live_one()
    {
        const int live = 100_000;
        var table = Table(150_000);
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < live; i++) table.Learn(Key(i), i % 7, mayCreate: true);
        }

        for (var second = 0; second < 600; second++)
        {
            for (var i = 0; i < 1_700; i++) table.Learn(Key(1_000_000 + (second * 1_700) + i), 0, mayCreate: true);
            for (var i = second % 60; i < live; i += 60)
                Assert.Equal(LearnOutcome.Refreshed, table.Learn(Key(i), i % 7, mayCreate: false).Outcome);
            _time.Advance(TimeSpan.FromSeconds(1));
            table.Sweep();
            Assert.InRange(table.Count, live, 150_000);
        }

        Assert.Equal(live, Enumerable.Range(0, live).Count(i => table.TryFind(Key(i), out _)));
        SessionInvariants.Check(table);
    }

    [Fact]
    public void A_large_table_that_holds_little_takes_little()
    {
        var table = Table(10_000_000);
        for (var i = 0; i < 100; i++) table.Learn(Key(i), 0, mayCreate: true);

        Assert.InRange(table.Bytes, 1, 4_000_000);
    }

    internal static SessionKey Key(int id) => SipHash.Hash(1, 2, BitConverter.GetBytes(id));

    private SessionTable Table(int capacity, TimeSpan? timeout = null) =>
        new(new(capacity, timeout ?? TimeSpan.FromMinutes(10)), _time);

    private void LearnInTurn(SessionTable table, params int[] ids)
    {
        foreach (var id in ids)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            table.Learn(Key(id), 0, mayCreate: true);
        }
    }

    /// <summary>Time passes, with a sweep each second.</summary>
    private void Pass(SessionTable table, TimeSpan time)
    {
        for (var second = 0; second < time.TotalSeconds; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            table.Sweep();
        }
    }

    private static int[] Live(SessionTable table, int below) =>
        [.. Enumerable.Range(0, below + 1).Where(id => table.TryFind(Key(id), out _))];

    private static (bool, int) Found(SessionTable table, int id) => (table.TryFind(Key(id), out var ordinal), ordinal);
}

/// <summary>The rules of the table said as plainly as possible: a list from the longest unused to the newest.</summary>
internal sealed class SessionModel(int capacity, int timeout)
{
    private sealed record Session(int Id, int Ordinal, int LastUsed, bool IsProtected);

    private readonly List<Session> _sessions = [];

    public int Now { get; set; }

    public int Find(int id) => _sessions.Find(s => s.Id == id)?.Ordinal ?? SessionTable.Unbound;

    public LearnResult Learn(int id, int ordinal, bool mayCreate)
    {
        if (_sessions.Find(s => s.Id == id) is { } known)
        {
            _sessions.Remove(known);
            _sessions.Add(new(id, ordinal, Now, true));
            return new(known.Ordinal == ordinal ? LearnOutcome.Refreshed : LearnOutcome.Rebound, ordinal);
        }

        if (!mayCreate) return new(LearnOutcome.Ignored, SessionTable.Unbound);

        if (_sessions.Count == capacity) _sessions.Remove(_sessions.Find(s => !s.IsProtected) ?? _sessions[0]);
        _sessions.Add(new(id, ordinal, Now, false));
        return new(LearnOutcome.Created, ordinal);
    }

    public void Sweep() => _sessions.RemoveAll(s => Now - s.LastUsed >= timeout);
}

internal static class SessionInvariants
{
    /// <summary>What must hold whenever nobody is writing: every session is where it is looked for, and is counted once.</summary>
    public static void Check(SessionTable table)
    {
        var perOrdinal = new Dictionary<int, int>();
        foreach (var shard in table.Shards)
        {
            var (found, onProbation) = (0, 0);
            for (var i = 0; i < shard.Slots.Length; i++)
            {
                var slot = shard.Slots[i];
                if (slot.State == 0) continue;

                Assert.Equal(i, shard.Find(slot.Key));
                Assert.True(shard.Since(i) <= slot.LastUsed);
                perOrdinal[slot.Ordinal] = perOrdinal.GetValueOrDefault(slot.Ordinal) + 1;
                (found, onProbation) = (found + 1, onProbation + (slot.IsProtected ? 0 : 1));
            }

            Assert.Equal((found, onProbation), (shard.Count, shard.CountOf(isProtected: false)));
        }

        Assert.Equal(table.Shards.Sum(shard => shard.Count), table.Count);
        Assert.Equal(table.Count, perOrdinal.Values.Sum());
        Assert.All(perOrdinal, pair => Assert.Equal(pair.Value, table.CountFor(pair.Key)));
        Assert.Equal(table.CreatedTotal, table.Count + Enum.GetValues<SessionEnd>().Sum(table.EndedTotal));
    }
}
