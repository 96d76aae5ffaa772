using System.Numerics;

namespace StickyIngress.Core.Sessions;

/*
 * The sessions of one zone: which peer each is bound to, and when it was last learned.
 *
 * Segments:    a session is created on probation and becomes protected when it is learned again, which shows that a client
 *              came back with its id. When the table is full the oldest on probation makes room, and only when there is
 *              none the longest unused protected one. So a flood of new ids evicts itself and not the live sessions.
 *              The limit of that: with ids that clients invent (create=$cookie_x), presenting one twice protects it.
 * Memory:      at most Capacity sessions, 32 to 48 bytes each; what fewer need is held. Room is reserved in one counter
 *              for all shards before a session is added, and a session that is evicted passes its room on, so the bound
 *              holds at every moment.
 * Time:        a session ends at the first Sweep after it was not learned for Timeout. As in nginx a lookup does not ask
 *              how old it is: until it is swept it lives. While a request of it is open, Sweep learns it again each quarter
 *              of the timeout, so a session does not end, and is not the oldest, while a stream of it goes on.
 * Concurrency: lookups take no lock (SessionShard says how). Learning locks one of up to 256 shards. The victim is the oldest of
 *              the shard that needs the room: keys are a keyed hash, so that is nearly the oldest of all. Only a shard
 *              that has none asks the others. No two shards are locked at once.
 */

/// <summary>Remembers which peer each session is bound to. Safe for any number of threads.</summary>
public sealed class SessionTable
{
    /// <summary>The ordinal that stands for no peer.</summary>
    public const int Unbound = -1;

    private const int SessionsPerShard = 2_048;
    private const int MaxShards = 256;
    private const int EndedPerHold = 256;
    private const int MaxTrimmedPerSweep = 50_000;
    private const int RefreshesOfOpenPerTimeout = 4;

    // Time in the table starts late enough for sessions that were learned long before the table was.
    private const long StartOfTime = 1L << 38;

    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private readonly long _perMillisecond; // ticks of the clock
    private readonly SessionShard[] _shards;
    private readonly EndedSessions _endedSessions;
    private int _count;
    private int _capacity;
    private long _timeout; // in milliseconds

    public SessionTable(SessionTableOptions options, TimeProvider time)
    {
        (_time, _startedAt, _perMillisecond) = (time, time.GetTimestamp(), time.TimestampFrequency / 1_000);
        Configure(options);

        _endedSessions = new(_capacity);
        var shards = BitOperations.RoundUpToPowerOf2((uint)(_capacity / SessionsPerShard));
        _shards = new SessionShard[Math.Clamp(shards, 1, MaxShards)];
        for (var i = 0; i < _shards.Length; i++) _shards[i] = new SessionShard(_endedSessions);
    }

    public int Capacity => Volatile.Read(ref _capacity);

    public TimeSpan Timeout => TimeSpan.FromMilliseconds(Volatile.Read(ref _timeout));

    /// <summary>Sessions in the table, those included that are due and not swept yet.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Bytes of memory that the sessions, their index and what is remembered of ended ones hold.</summary>
    public long Bytes => _endedSessions.Bytes + _shards.Sum(shard => shard.Bytes);

    /// <summary>Bindings made since the table was: sessions created, imported and rebound.</summary>
    public long CreatedTotal => _shards.Sum(shard => shard.Created);

    /// <summary>Bindings ended for a reason. All created are either ended or still in the table.</summary>
    public long EndedTotal(SessionEnd reason) => _shards.Sum(shard => shard.Ended(reason));

    /// <summary>Sessions bound to a peer.</summary>
    public int CountFor(int ordinal) => _shards.Sum(shard => shard.CountFor(ordinal));

    /// <summary>
    /// Changes the bounds while serving. The new timeout counts for sessions that are there already; what is over a smaller
    /// capacity is evicted by the next sweeps.
    /// </summary>
    public void Configure(SessionTableOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Capacity, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.Timeout, TimeSpan.Zero);
        Volatile.Write(ref _timeout, (long)Math.Min(Math.Ceiling(options.Timeout.TotalMilliseconds), StartOfTime - 1));
        Volatile.Write(ref _capacity, options.Capacity);
    }

    /// <summary>Which peer a session is bound to. Looking up does not keep a session alive; learning does.</summary>
    public bool TryFind(in SessionKey key, out int ordinal) => ShardOf(key).TryFind(key, out ordinal);

    /// <summary>
    /// Why a session that is not found has ended, as far as that is still remembered. False for one that never was, or ended
    /// too many others ago.
    /// </summary>
    public bool TryFindEnded(in SessionKey key, out SessionEnd reason) => _endedSessions.TryFind(key, out reason);

    /// <summary>
    /// Told what every <see cref="Learn(in SessionKey, int, bool)"/> did, for who shares sessions with other replicas; null:
    /// nobody is. Called on the request's thread with no lock held, so it must neither block nor throw.
    /// </summary>
    public Action<SessionLearned>? Learned { get; set; }

    /// <summary>A peer answered for a session: binds the session to it, whatever it was bound to, as nginx does.</summary>
    public LearnResult Learn(in SessionKey key, int ordinal, bool mayCreate) =>
        Tell(Bind(key, ordinal, mayCreate, expected: null, SessionEnd.Replaced));

    /// <summary>
    /// Like <see cref="Learn(in SessionKey, int, bool)"/> while the session is bound as the lookup at the request's start
    /// found it (<see cref="Unbound"/>: not). If another request has bound it elsewhere since, the first answer wins.
    /// </summary>
    /// <param name="replacedFor">Why a binding to another peer ends.</param>
    public LearnResult Learn(
        in SessionKey key, int ordinal, bool mayCreate, int expected, SessionEnd replacedFor = SessionEnd.Replaced) =>
        Tell(Bind(key, ordinal, mayCreate, expected, replacedFor));

    /// <summary>
    /// What another replica has learned: like <see cref="Learn(in SessionKey, int, bool)"/>, but <see cref="Learned"/> is not told.
    /// </summary>
    /// <param name="expected">Only while it is bound so, or not bound; null: whatever it is bound to.</param>
    public LearnResult Adopt(in SessionKey key, int ordinal, int? expected = null) =>
        Bind(key, ordinal, mayCreate: true, expected, SessionEnd.Replaced).Result;

    /// <summary>A request of the session is open: the session is in use until <see cref="Close"/>, whatever it is bound to.</summary>
    public OpenSession Open(in SessionKey key)
    {
        var shard = ShardOf(key);
        lock (shard.Gate) return new(key, shard.Open.Add(key));
    }

    public void Close(in OpenSession open)
    {
        var shard = ShardOf(open.Key);
        lock (shard.Gate) shard.Open.Remove(open.Place);
    }

    /// <summary>
    /// Ends what is due, and what is over the capacity as far as one pass may take. Call it several times a second.
    /// </summary>
    public void Sweep()
    {
        RefreshOpen();
        var dueBefore = Now - Volatile.Read(ref _timeout);
        foreach (var shard in _shards)
        {
            while (SweepSome(shard, dueBefore) >= EndedPerHold)
            {
            }
        }

        for (var i = 0; i < MaxTrimmedPerSweep && Volatile.Read(ref _count) > Capacity && TryEvict(i); i++)
            Interlocked.Decrement(ref _count);
    }

    /// <summary>
    /// Copies the sessions out, a shard at a time. What is created meanwhile may be missing.
    /// </summary>
    public IEnumerable<SessionRecord> Export()
    {
        SessionSlot[] copy = [];
        foreach (var shard in _shards)
        {
            int length;
            lock (shard.Gate)
            {
                length = shard.Slots.Length;
                if (copy.Length < length) copy = new SessionSlot[length];
                shard.Slots.CopyTo(copy);
            }

            var now = Now;
            for (var i = 0; i < length; i++)
            {
                if (copy[i].State != 0) yield return RecordOf(copy[i], now);
            }
        }
    }

    /// <summary>
    /// Takes sessions in, the last used first when there is not room for all; answers how many. What is due already, or in the
    /// table already, is left out.
    /// </summary>
    public int Import(IReadOnlyList<SessionRecord> records) => Import(records, ordinals: null);

    /// <param name="ordinals">The table's number of each peer by the records' number; null: they are the same.</param>
    internal int Import(IReadOnlyList<SessionRecord> records, int[]? ordinals)
    {
        var room = Math.Max(0, Capacity - Count);
        var wanted = records.Count <= room ? records : [.. records.OrderBy(record => record.Age).Take(room)];
        MakeRoom(wanted);

        var (now, timeout) = (Now, Timeout);
        var imported = 0;
        foreach (var record in wanted)
        {
            if (record.Age < timeout && TryImport(record, ordinals?[record.Ordinal] ?? record.Ordinal, now)) imported++;
        }

        return imported;
    }

    internal IReadOnlyList<SessionShard> Shards => _shards;

    private long Now => StartOfTime + ((_time.GetTimestamp() - _startedAt) / _perMillisecond);

    private LearnResult Tell(in SessionLearned learned)
    {
        Learned?.Invoke(learned);
        return learned.Result;
    }

    private SessionLearned Bind(in SessionKey key, int ordinal, bool mayCreate, int? expected, SessionEnd replacedFor)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)ordinal, (uint)SessionSlot.MaxOrdinal, nameof(ordinal));
        var number = NumberOf(key);
        var shard = _shards[number];
        var now = Now;
        var hasRoom = false;
        var spin = new SpinWait();
        while (true)
        {
            lock (shard.Gate)
            {
                var position = shard.Find(key);
                if (position >= 0 || !mayCreate)
                {
                    if (hasRoom) Interlocked.Decrement(ref _count);
                    return position < 0
                        ? new(key, new(LearnOutcome.Ignored, Unbound))
                        : Touch(shard, position, ordinal, expected, replacedFor, now);
                }

                if (hasRoom || TryReserve() || shard.EndOldest(isProtected: false, SessionEnd.Evicted))
                {
                    shard.Add(key, ordinal, now, isProtected: false);
                    return new(key, new(LearnOutcome.Created, ordinal));
                }
            }

            // Only when all room is reserved by others that have not added their session yet is there nothing to evict.
            hasRoom = TryEvict(number);
            if (!hasRoom) spin.SpinOnce();
        }
    }

    private static SessionLearned Touch(
        SessionShard shard, int position, int ordinal, int? expected, SessionEnd replacedFor, long now)
    {
        ref readonly var slot = ref shard.Slots[position];
        var (key, bound, unused) = (slot.Key, slot.Ordinal, TimeSpan.FromMilliseconds(Math.Max(0, now - slot.LastUsed)));
        var outcome = bound == ordinal ? LearnOutcome.Refreshed
            : expected is { } seen && bound != seen ? LearnOutcome.Adopted
            : LearnOutcome.Rebound;
        if (outcome == LearnOutcome.Adopted) ordinal = bound;
        if (outcome == LearnOutcome.Rebound) shard.CountEnd(replacedFor);
        shard.Refresh(position, ordinal, now);
        return new(key, new(outcome, ordinal), bound, unused);
    }

    private bool TryReserve()
    {
        var count = Volatile.Read(ref _count);
        while (count < Capacity)
        {
            var seen = Interlocked.CompareExchange(ref _count, count + 1, count);
            if (seen == count) return true;
            count = seen;
        }

        return false;
    }

    /// <summary>Ends the oldest session of a shard, on probation if any is; its room passes to the caller.</summary>
    /// <param name="first">The shard that is asked first.</param>
    private bool TryEvict(int first) => TryEvict(first, isProtected: false) || TryEvict(first, isProtected: true);

    private bool TryEvict(int first, bool isProtected)
    {
        for (var i = 0; i < _shards.Length; i++)
        {
            var shard = _shards[(first + i) & (_shards.Length - 1)];
            if (shard.CountOf(isProtected) == 0) continue;

            lock (shard.Gate)
            {
                if (shard.EndOldest(isProtected, SessionEnd.Evicted)) return true;
            }
        }

        return false;
    }

    private void RefreshOpen()
    {
        List<SessionLearned> refreshed = [];
        foreach (var shard in _shards)
        {
            var now = Now;
            lock (shard.Gate)
                shard.Open.Refresh(shard, now - (Volatile.Read(ref _timeout) / RefreshesOfOpenPerTimeout), now, refreshed);
        }

        foreach (var learned in refreshed) Tell(learned);
    }

    private int SweepSome(SessionShard shard, long dueBefore)
    {
        lock (shard.Gate)
        {
            var ended = shard.EndDue(dueBefore, EndedPerHold);
            Interlocked.Add(ref _count, -ended);
            shard.Trim();
            return ended;
        }
    }

    /// <summary>
    /// Exported sessions come in the order of their places. In an array that has yet to grow they would all live at its beginning.
    /// </summary>
    private void MakeRoom(IReadOnlyList<SessionRecord> records)
    {
        var coming = new int[_shards.Length];
        foreach (var record in records) coming[NumberOf(record.Key)]++;
        for (var i = 0; i < coming.Length; i++)
        {
            lock (_shards[i].Gate) _shards[i].MakeRoom(coming[i]);
        }
    }

    private bool TryImport(in SessionRecord record, int ordinal, long now)
    {
        var shard = ShardOf(record.Key);
        lock (shard.Gate)
        {
            if (shard.Find(record.Key) >= 0 || !TryReserve()) return false;

            shard.Add(record.Key, ordinal, now - (long)record.Age.TotalMilliseconds, record.IsProtected);
            return true;
        }
    }

    private SessionShard ShardOf(in SessionKey key) => _shards[NumberOf(key)];

    private int NumberOf(in SessionKey key) => (int)key.High & (_shards.Length - 1);

    private static SessionRecord RecordOf(in SessionSlot slot, long now) =>
        new(slot.Key, slot.Ordinal, TimeSpan.FromMilliseconds(Math.Max(0, now - slot.LastUsed)), slot.IsProtected);
}
