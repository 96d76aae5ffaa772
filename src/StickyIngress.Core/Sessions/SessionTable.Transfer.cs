namespace StickyIngress.Core.Sessions;

/// <summary>Sessions on their way out of a table and into one.</summary>
public sealed partial class SessionTable
{
    /// <summary>
    /// Copies the sessions out a few at a time, without holding anybody up. What is created meanwhile may be missing, and
    /// a session that is moved in memory meanwhile may come twice.
    /// </summary>
    public IEnumerable<SessionRecord> Export()
    {
        var batch = new SessionEntry[BatchSize];
        foreach (var shard in _shards)
        {
            var end = int.MaxValue;
            while (CopyBatch(shard, batch, ref end) is > 0 and var copied)
            {
                var now = _time.GetTimestamp();
                var dueBefore = DueBefore(now);
                for (var i = 0; i < copied; i++)
                {
                    if (batch[i].LastUsed > dueBefore)
                        yield return ToRecord(batch[i], now);
                }
            }
        }
    }

    /// <summary>
    /// Takes sessions in, the last used first, as long as there is room; answers how many. What is due already, or in the
    /// table already, is left out.
    /// </summary>
    public int Import(IReadOnlyList<SessionRecord> records) => Import(records, ordinals: null);

    /// <param name="ordinals">The table's number of each peer by the records' number; null: they are the same.</param>
    internal int Import(IReadOnlyList<SessionRecord> records, int[]? ordinals)
    {
        var order = new int[records.Count];
        var ages = new long[records.Count];
        for (var i = 0; i < order.Length; i++) (order[i], ages[i]) = (i, records[i].Age.Ticks);
        Array.Sort(ages, order);

        // The newest that fit are taken, and added the oldest first: a list is appended to fastest.
        var now = _time.GetTimestamp();
        var timeout = Timeout.Ticks;
        var fit = Math.Min(order.Length, Math.Max(0, Capacity - Volatile.Read(ref _count)));
        var imported = 0;
        for (var i = fit - 1; i >= 0; i--)
        {
            var record = records[order[i]];
            if (ages[i] < timeout && TryImport(record, ordinals?[record.Ordinal] ?? record.Ordinal, now)) imported++;
        }

        return imported;
    }

    private static int CopyBatch(SessionShard shard, SessionEntry[] batch, ref int end)
    {
        lock (shard.Gate)
        {
            end = Math.Min(end, shard.Count);
            var copied = Math.Min(end, batch.Length);
            for (var i = 0; i < copied; i++) batch[i] = shard.At(--end);
            return copied;
        }
    }

    private SessionRecord ToRecord(in SessionEntry entry, long now) =>
        new(entry.Key, entry.Ordinal, ToTimeSpan(Math.Max(0, now - entry.LastUsed)), entry.IsProtected);

    private bool TryImport(in SessionRecord record, int ordinal, long now)
    {
        var shard = ShardOf(record.Key);
        lock (shard.Gate)
        {
            if (shard.Find(record.Key) >= 0 || !TryReserve()) return false;

            shard.Add(record.Key, ordinal, now - ToClockTicks(record.Age), record.IsProtected);
            return true;
        }
    }
}
