namespace StickyIngress.Core.Sessions;

/*
 * Storage:     open addressing with linear probing over slots of 24 bytes, half to three quarters of them in use: 32 to 48
 *              bytes a session. The array grows by half and shrinks, as a whole, while readers use the old one. A removed
 *              session leaves no mark: those behind it that may move up do.
 * Order:       no list says who is oldest. For each 128 slots and each segment a bound is kept that no session there is
 *              older than. Refreshing a session is thus one write and leaves the bound too low. Whoever looks for the oldest
 *              takes the lowest bound, puts it right by looking at its slots, and is done when it is still the lowest: the
 *              answer is exact. So a sweep looks only where something may be due.
 * Concurrency: one writer at a time, which holds Gate. Readers take no lock: the version is odd while sessions change
 *              places, and who saw it odd or changed reads again. Adding and refreshing move nobody and do not hold readers up.
 */

/// <summary>
/// One part of a table: its sessions and their counts. All but <see cref="TryFind"/> and the counts is called while
/// <see cref="Gate"/> is held.
/// </summary>
internal sealed class SessionShard(EndedSessions endedSessions)
{
    private const int FewestSlots = 16;
    private const int RegionShift = 7;
    private const int SlotsPerRegion = 1 << RegionShift;
    private const int SlotBytes = 24;
    private const int ArrayHeader = 24;

    private readonly long[] _ended = new long[Enum.GetValues<SessionEnd>().Length];
    private SessionSlot[] _slots = new SessionSlot[FewestSlots];
    private long[] _probationSince = [long.MaxValue]; // by region: no session on probation in it was last used before
    private long[] _protectedSince = [long.MaxValue];
    private int[] _perOrdinal = [];
    private int _version;
    private int _count;
    private int _onProbation;
    private long _created;

    public Lock Gate { get; } = new();

    public OpenSessions Open { get; } = new();

    public int Count => Volatile.Read(ref _count);

    public long Bytes =>
        (4 * ArrayHeader) + ((long)_slots.Length * SlotBytes) + (2L * _probationSince.Length * sizeof(long)) + (_perOrdinal.Length * sizeof(int));

    public long Created => Volatile.Read(ref _created);

    public ReadOnlySpan<SessionSlot> Slots => _slots;

    public long Ended(SessionEnd reason) => Volatile.Read(ref _ended[(int)reason]);

    public int CountFor(int ordinal)
    {
        var counts = Volatile.Read(ref _perOrdinal);
        return ordinal < counts.Length ? Volatile.Read(ref counts[ordinal]) : 0;
    }

    /// <summary>How many sessions of a segment there are.</summary>
    public int CountOf(bool isProtected)
    {
        var onProbation = Volatile.Read(ref _onProbation);
        return isProtected ? Count - onProbation : onProbation;
    }

    /// <summary>Which peer a session is bound to, found without a lock.</summary>
    public bool TryFind(in SessionKey key, out int ordinal)
    {
        var spin = new SpinWait();
        while (true)
        {
            var version = Volatile.Read(ref _version);
            if ((version & 1) == 0)
            {
                var slots = Volatile.Read(ref _slots);
                var state = StateAt(slots, key);
                Volatile.ReadBarrier();
                if (Volatile.Read(ref _version) == version)
                {
                    ordinal = state == 0 ? SessionTable.Unbound : SessionSlot.OrdinalOf(state);
                    return state != 0;
                }
            }

            spin.SpinOnce(sleep1Threshold: -1);
        }
    }

    /// <summary>Position of a session, or -1.</summary>
    public int Find(in SessionKey key)
    {
        var position = Probe(_slots, key);
        return _slots[position].State == 0 ? -1 : position;
    }

    /// <summary>Adds a session that is not here.</summary>
    public void Add(in SessionKey key, int ordinal, long lastUsed, bool isProtected)
    {
        if (IsTooFullFor(1)) Resize(_slots.Length * 3 / 2);

        var position = Probe(_slots, key);
        _slots[position].Key = key;
        Volatile.Write(ref _slots[position].State, SessionSlot.StateOf(ordinal, lastUsed, isProtected));
        Bound(position);

        _count++;
        if (!isProtected) _onProbation++;
        CountBinding(ordinal, 1);
        _created++;
    }

    /// <summary>A session is in use, which protects it, and bound to this peer from now on.</summary>
    public void Refresh(int position, int ordinal, long now)
    {
        ref var slot = ref _slots[position];
        var (before, wasProtected) = (slot.Ordinal, slot.IsProtected);

        // Somebody else may have learned it a moment later than this request read the clock.
        Volatile.Write(ref slot.State, SessionSlot.StateOf(ordinal, Math.Max(slot.LastUsed, now), isProtected: true));
        if (!wasProtected)
        {
            _onProbation--;
            Bound(position);
        }

        if (before == ordinal) return;

        CountBinding(before, -1);
        CountBinding(ordinal, 1);
        _created++;
    }

    /// <summary>Counts a binding that has ended while its session goes on.</summary>
    public void CountEnd(SessionEnd reason) => _ended[(int)reason]++;

    /// <summary>Ends the longest unused session of a segment; false: there is none.</summary>
    public bool EndOldest(bool isProtected, SessionEnd reason)
    {
        var position = CountOf(isProtected) > 0 ? Oldest(isProtected) : -1;
        if (position >= 0) End(position, reason);
        return position >= 0;
    }

    /// <summary>Ends sessions last used at or before a time, and about as many as given at most; answers how many.</summary>
    public int EndDue(long dueBefore, int most)
    {
        var ended = 0;
        for (var region = 0; region < _probationSince.Length && ended < most; region++)
        {
            if (Math.Min(_probationSince[region], _protectedSince[region]) > dueBefore) continue;

            var (start, end) = SlotsOf(region);
            for (var position = start; position < end; position++)
            {
                // What moves up into the place may be due as well.
                while (_slots[position].State != 0 && _slots[position].LastUsed <= dueBefore)
                {
                    End(position, SessionEnd.Timeout);
                    ended++;
                }
            }

            LookAt(region);
        }

        return ended;
    }

    /// <summary>Grows once for as many sessions as are going to be added.</summary>
    public void MakeRoom(int coming)
    {
        if (IsTooFullFor(coming)) Resize((_count + coming) * 3 / 2);
    }

    /// <summary>Gives memory back when few slots are in use.</summary>
    public void Trim()
    {
        if (_slots.Length > FewestSlots && _count * 4L < _slots.Length) Resize(Math.Max(FewestSlots, _count * 2));
    }

    /// <summary>The bound that holds for the session at a position.</summary>
    internal ref long Since(int position) =>
        ref (_slots[position].IsProtected ? _protectedSince : _probationSince)[position >> RegionShift];

    private static ulong StateAt(SessionSlot[] slots, in SessionKey key)
    {
        for (var i = Home(key, slots.Length); ;)
        {
            ref var slot = ref slots[i];

            // The state is written last and so read first.
            var state = Volatile.Read(ref slot.State);
            if (state == 0 || slot.Key == key) return state;
            if (++i == slots.Length) i = 0;
        }
    }

    /// <summary>Where a session is, or else the empty slot where it would be.</summary>
    private static int Probe(SessionSlot[] slots, in SessionKey key)
    {
        var i = Home(key, slots.Length);
        while (slots[i].State != 0 && slots[i].Key != key)
        {
            if (++i == slots.Length) i = 0;
        }

        return i;
    }

    private static int Home(in SessionKey key, int slots) => (int)Math.BigMul(key.Low, (ulong)slots, out _);

    private void End(int position, SessionEnd reason)
    {
        ref var slot = ref _slots[position];
        endedSessions.Add(slot.Key, reason);
        CountBinding(slot.Ordinal, -1);
        if (!slot.IsProtected) _onProbation--;
        _count--;
        _ended[(int)reason]++;

        Volatile.Write(ref _version, _version + 1);
        Volatile.WriteBarrier();
        Close(position);
        Volatile.Write(ref _version, _version + 1);
    }

    /// <summary>Empties a slot and moves up whatever would not be found past it any more.</summary>
    private void Close(int hole)
    {
        var slots = _slots;
        for (var next = hole; ;)
        {
            if (++next == slots.Length) next = 0;
            if (slots[next].State == 0) break;

            // Who lives behind the hole stays: a search for it does not come past the hole.
            var home = Home(slots[next].Key, slots.Length);
            if (hole < next ? hole < home && home <= next : hole < home || home <= next) continue;

            slots[hole] = slots[next];
            Bound(hole);
            hole = next;
        }

        slots[hole].State = 0;
    }

    /// <summary>Position of the longest unused session of a segment, or -1.</summary>
    private int Oldest(bool isProtected)
    {
        var since = isProtected ? _protectedSince : _probationSince;
        for (var (looked, position) = (-1, -1); ;)
        {
            var region = IndexOfLowest(since);
            if (region == looked || since[region] == long.MaxValue) return position;

            var (onProbation, protectedOne) = LookAt(region);
            (looked, position) = (region, isProtected ? protectedOne : onProbation);
        }
    }

    private static int IndexOfLowest(long[] values)
    {
        var lowest = 0;
        for (var i = 1; i < values.Length; i++)
        {
            if (values[i] < values[lowest]) lowest = i;
        }

        return lowest;
    }

    /// <summary>Puts the bounds of a region right and tells the positions of its oldest sessions, or -1.</summary>
    private (int OnProbation, int Protected) LookAt(int region)
    {
        var (onProbation, protectedOne) = (-1, -1);
        var (probationSince, protectedSince) = (long.MaxValue, long.MaxValue);
        var (start, end) = SlotsOf(region);
        for (var i = start; i < end; i++)
        {
            ref readonly var slot = ref _slots[i];
            if (slot.State == 0) continue;

            if (slot.IsProtected)
            {
                if (slot.LastUsed < protectedSince) (protectedOne, protectedSince) = (i, slot.LastUsed);
            }
            else if (slot.LastUsed < probationSince)
            {
                (onProbation, probationSince) = (i, slot.LastUsed);
            }
        }

        (_probationSince[region], _protectedSince[region]) = (probationSince, protectedSince);
        return (onProbation, protectedOne);
    }

    /// <summary>Makes the bound hold for the session at a position.</summary>
    private void Bound(int position)
    {
        ref var since = ref Since(position);
        since = Math.Min(since, _slots[position].LastUsed);
    }

    private (int Start, int End) SlotsOf(int region)
    {
        var start = region << RegionShift;
        return (start, Math.Min(start + SlotsPerRegion, _slots.Length));
    }

    private void Resize(int length)
    {
        var slots = new SessionSlot[length];
        foreach (ref readonly var slot in _slots.AsSpan())
        {
            if (slot.State != 0) slots[Probe(slots, slot.Key)] = slot;
        }

        var regions = (length + SlotsPerRegion - 1) >> RegionShift;
        (_probationSince, _protectedSince) = (new long[regions], new long[regions]);
        Volatile.Write(ref _slots, slots);
        for (var region = 0; region < regions; region++) LookAt(region);
    }

    private bool IsTooFullFor(int coming) => (_count + coming) * 4L > _slots.Length * 3L;

    private void CountBinding(int ordinal, int change)
    {
        if (ordinal >= _perOrdinal.Length)
        {
            var larger = new int[Math.Max(4, 2 * ordinal)];
            _perOrdinal.CopyTo(larger, 0);
            Volatile.Write(ref _perOrdinal, larger);
        }

        Volatile.Write(ref _perOrdinal[ordinal], _perOrdinal[ordinal] + change);
    }
}
