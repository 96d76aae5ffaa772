using System.Numerics;

namespace StickyIngress.Core.Sessions;

/*
 * The sessions of one zone: which peer each is bound to, and when it was last learned.
 *
 * Segments:    a session is created on probation and becomes protected when it is learned again, which shows that a client
 *              came back with its id. When the table is full the oldest on probation makes room, and only when there is
 *              none the longest unused protected one. So a flood of new ids evicts itself and not the live sessions.
 *              The limit of that: with ids that clients invent (create=$cookie_x), presenting one twice protects it.
 * Memory:      at most Capacity sessions, some 50 bytes each; what fewer need is held, in steps of 20 KB per shard.
 *              Room is reserved in one counter for all shards before a session is added, and a session that is
 *              evicted passes its room on, so the bound holds at every moment.
 * Time:        a session ends Timeout after it was last learned; from then on a lookup does not find it. Sweep removes it,
 *              from the old ends of the lists, a bounded number in one hold of a shard's lock.
 * Concurrency: lookups take no lock (SessionStore says how). Learning locks one of up to 64 shards. The victim comes from
 *              the shard that needs the room when it has one on probation: keys are a keyed hash, so that is nearly
 *              the oldest of all. Otherwise all shards are compared. No two shards are locked at once.
 */

/// <summary>Remembers which peer each session is bound to. Safe for any number of threads.</summary>
public sealed partial class SessionTable
{
    /// <summary>The ordinal that stands for no peer.</summary>
    public const int Unbound = -1;

    private const int SessionsPerShard = 16_384;
    private const int MaxShards = 64;
    private const int BatchSize = 256;
    private const int MaxTrimmedPerSweep = 50_000;

    private readonly TimeProvider _time;
    private readonly SessionShard[] _shards;
    private readonly EndedSessions _endedSessions;
    private int _count;
    private int _capacity;
    private long _timeout; // in ticks of the clock

    public SessionTable(SessionTableOptions options, TimeProvider time)
    {
        _time = time;
        Configure(options);

        _endedSessions = new(_capacity);
        var shards = Math.Clamp(BitOperations.RoundUpToPowerOf2((uint)(_capacity / SessionsPerShard)), 1, MaxShards);
        _shards = new SessionShard[shards];
        for (var i = 0; i < _shards.Length; i++) _shards[i] = new SessionShard(_endedSessions);
    }

    public int Capacity => Volatile.Read(ref _capacity);

    public TimeSpan Timeout => ToTimeSpan(Volatile.Read(ref _timeout));

    /// <summary>Sessions in the table, those included that are due and not swept yet.</summary>
    public int Count => _shards.Sum(shard => shard.Count);

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
        Volatile.Write(ref _timeout, ToClockTicks(options.Timeout));
        Volatile.Write(ref _capacity, options.Capacity);
    }

    /// <summary>Which peer a session is bound to. Looking up does not keep a session alive; learning does.</summary>
    public bool TryFind(in SessionKey key, out int ordinal)
    {
        if (ShardOf(key).TryRead(key, out ordinal, out var lastUsed) && lastUsed > DueBefore(_time.GetTimestamp()))
            return true;

        ordinal = Unbound;
        return false;
    }

    /// <summary>
    /// Why a session that is not found has ended, as far as that is still remembered. False for one that never was, or ended
    /// too many others ago.
    /// </summary>
    public bool TryFindEnded(in SessionKey key, out SessionEnd reason)
    {
        reason = SessionEnd.Timeout;
        if (!ShardOf(key).TryRead(key, out _, out var lastUsed)) return _endedSessions.TryFind(key, out reason);

        // It is due and not swept yet; or it has been created since it was looked for.
        return lastUsed <= DueBefore(_time.GetTimestamp());
    }

    /// <summary>
    /// Told what every Learn did, for who shares sessions with other replicas; null: nobody does. Called on the request's thread
    /// with no lock held, so it must neither block nor throw.
    /// </summary>
    public Action<SessionLearned>? Learned { get; set; }

    /// <summary>A peer answered for a session: binds the session to it, whatever it was bound to, as nginx does.</summary>
    public LearnResult Learn(in SessionKey key, int ordinal, bool mayCreate) =>
        Tell(Learn(key, ordinal, mayCreate, expected: null));

    /// <summary>
    /// Like <see cref="Learn(in SessionKey, int, bool)"/> while the session is bound as the lookup at the request's start
    /// found it (<see cref="Unbound"/>: not). If another request has bound it elsewhere since, the first answer wins.
    /// </summary>
    public LearnResult Learn(in SessionKey key, int ordinal, bool mayCreate, int expected) =>
        Tell(Learn(key, ordinal, mayCreate, (int?)expected));

    /// <summary>
    /// What another replica has learned: like <see cref="Learn(in SessionKey, int, bool)"/>, but <see cref="Learned"/> is not told.
    /// </summary>
    /// <param name="expected">Only while it is bound so, or not bound; null: whatever it is bound to.</param>
    public LearnResult Adopt(in SessionKey key, int ordinal, int? expected = null) => Learn(key, ordinal, mayCreate: true, expected).Result;

    /// <summary>
    /// Removes what is due, and what is over the capacity as far as one pass may take. Call it at least twice a second.
    /// </summary>
    public void Sweep()
    {
        var dueBefore = DueBefore(_time.GetTimestamp());
        foreach (var shard in _shards)
        {
            while (SweepBatch(shard, dueBefore) == BatchSize)
            {
            }
        }

        for (var i = 0; i < MaxTrimmedPerSweep && Volatile.Read(ref _count) > Capacity && TryEvictAnywhere(); i++)
            Interlocked.Decrement(ref _count);
    }

    /// <summary>Ends all sessions of a peer that no request holds any more; answers how many.</summary>
    public int EndPeer(int ordinal) => EndWhere(
        shard => shard.CountFor(ordinal) > 0, (in SessionEntry entry) => entry.Ordinal == ordinal, SessionEnd.PeerGone);

    /// <summary>Ends all sessions that are in the table when it is called; they count as evicted.</summary>
    public void Clear() => EndWhere(shard => shard.Count > 0, (in SessionEntry _) => true, SessionEnd.Evicted);

    internal IReadOnlyList<SessionShard> Shards => _shards;

    private LearnResult Tell(in SessionLearned learned)
    {
        Learned?.Invoke(learned);
        return learned.Result;
    }

    private SessionLearned Learn(in SessionKey key, int ordinal, bool mayCreate, int? expected)
    {
        var shard = ShardOf(key);
        var now = _time.GetTimestamp();
        var hasRoom = false;
        var spin = new SpinWait();
        while (true)
        {
            lock (shard.Gate)
            {
                var position = shard.Find(key);
                if (position >= 0 && shard.At(position).LastUsed <= DueBefore(now))
                {
                    EndAndRelease(shard, position, SessionEnd.Timeout);
                    position = -1;
                }

                if (position >= 0 || !mayCreate)
                {
                    if (hasRoom) Interlocked.Decrement(ref _count);
                    return position < 0 ? new(key, new(LearnOutcome.Ignored, Unbound)) : Touch(shard, position, ordinal, expected, now);
                }

                if (hasRoom || TryReserve() || TryEvictOwn(shard, DueBefore(now)))
                {
                    shard.Add(key, ordinal, now, isProtected: false);
                    return new(key, new(LearnOutcome.Created, ordinal));
                }
            }

            // Only when all room is reserved by others that have not added their session yet is there nothing to evict.
            hasRoom = TryEvictAnywhere();
            if (!hasRoom) spin.SpinOnce();
        }
    }

    private SessionLearned Touch(SessionShard shard, int position, int ordinal, int? expected, long now)
    {
        var bound = shard.At(position).Ordinal;
        var (key, unused) = (shard.At(position).Key, ToTimeSpan(Math.Max(0, now - shard.At(position).LastUsed)));
        shard.Refresh(position, now);
        if (bound == ordinal) return new(key, new(LearnOutcome.Refreshed, ordinal), bound, unused);
        if (expected is { } seen && bound != seen) return new(key, new(LearnOutcome.Adopted, bound), bound, unused);

        shard.Rebind(position, ordinal);
        return new(key, new(LearnOutcome.Rebound, ordinal), bound, unused);
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

    /// <summary>Ends a session of a shard whose lock is held; its room passes to the caller.</summary>
    private static bool TryEvictOwn(SessionShard shard, long dueBefore)
    {
        if (shard.EndOneDue(dueBefore)) return true;

        var oldest = shard.Oldest(isProtected: false);
        if (oldest < 0) return false;

        shard.End(oldest, SessionEnd.Evicted);
        return true;
    }

    /// <summary>Ends the longest unused session of all, on probation if there is one; its room passes to the caller.</summary>
    private bool TryEvictAnywhere() => TryEvictAnywhere(isProtected: false) || TryEvictAnywhere(isProtected: true);

    private bool TryEvictAnywhere(bool isProtected)
    {
        while (ShardOfOldest(isProtected) is { } victim)
        {
            lock (victim.Gate)
            {
                var position = victim.Oldest(isProtected);
                if (position < 0) continue;

                victim.End(position, SessionEnd.Evicted);
                return true;
            }
        }

        return false;
    }

    private SessionShard? ShardOfOldest(bool isProtected)
    {
        SessionShard? found = null;
        var oldest = long.MaxValue;
        foreach (var shard in _shards)
        {
            lock (shard.Gate)
            {
                var position = shard.Oldest(isProtected);
                if (position >= 0 && shard.At(position).LastUsed < oldest)
                    (found, oldest) = (shard, shard.At(position).LastUsed);
            }
        }

        return found;
    }

    private int SweepBatch(SessionShard shard, long dueBefore)
    {
        var ended = 0;
        lock (shard.Gate)
        {
            while (ended < BatchSize && shard.EndOneDue(dueBefore)) ended++;
            Interlocked.Add(ref _count, -ended);
        }

        return ended;
    }

    private int EndWhere(Func<SessionShard, bool> concerned, EntryPredicate matches, SessionEnd reason)
    {
        var ended = 0;
        foreach (var shard in _shards)
        {
            // From the end down: what fills a gap comes from where the walk has been.
            for (var end = int.MaxValue; end > 0;)
            {
                lock (shard.Gate)
                {
                    if (!concerned(shard)) break;

                    end = Math.Min(end, shard.Count);
                    var stop = Math.Max(0, end - BatchSize);
                    while (end > stop)
                    {
                        if (!matches(shard.At(--end))) continue;

                        EndAndRelease(shard, end, reason);
                        ended++;
                    }
                }
            }
        }

        return ended;
    }

    private void EndAndRelease(SessionShard shard, int position, SessionEnd reason)
    {
        shard.End(position, reason);
        Interlocked.Decrement(ref _count);
    }

    private SessionShard ShardOf(in SessionKey key) => _shards[(int)key.High & (_shards.Length - 1)];

    private long DueBefore(long now) => now - Volatile.Read(ref _timeout);

    private long ToClockTicks(TimeSpan span) => Convert(span.Ticks, TimeSpan.TicksPerSecond, _time.TimestampFrequency);

    private TimeSpan ToTimeSpan(long clockTicks) => new(Convert(clockTicks, _time.TimestampFrequency, TimeSpan.TicksPerSecond));

    /// <summary>Whole seconds apart from the rest, so that nothing overflows.</summary>
    private static long Convert(long ticks, long perSecond, long wantedPerSecond)
    {
        var (seconds, rest) = Math.DivRem(ticks, perSecond);
        return (seconds * wantedPerSecond) + (rest * wantedPerSecond / perSecond);
    }

    private delegate bool EntryPredicate(in SessionEntry entry);
}
