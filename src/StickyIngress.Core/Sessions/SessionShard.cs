namespace StickyIngress.Core.Sessions;

/// <summary>
/// One part of a table: its entries, its two segments and its counts. All but <see cref="TryRead"/> and the counts is
/// called while <see cref="Gate"/> is held.
/// </summary>
internal sealed class SessionShard
{
    private readonly SessionStore _store = new();
    private readonly SessionList _probation;
    private readonly SessionList _protected;
    private readonly EndedSessions _endedSessions;
    private readonly long[] _ended = new long[Enum.GetValues<SessionEnd>().Length];
    private long _created;
    private int[] _perOrdinal = [];

    public SessionShard(EndedSessions endedSessions)
    {
        (_probation, _protected) = (new SessionList(_store), new SessionList(_store));
        _endedSessions = endedSessions;
    }

    public Lock Gate { get; } = new();

    public int Count => _store.Count;

    public long Bytes => _store.Bytes + (_perOrdinal.Length * sizeof(int));

    public long Created => Volatile.Read(ref _created);

    public long Ended(SessionEnd reason) => Volatile.Read(ref _ended[(int)reason]);

    public int CountFor(int ordinal)
    {
        var counts = Volatile.Read(ref _perOrdinal);
        return ordinal < counts.Length ? Volatile.Read(ref counts[ordinal]) : 0;
    }

    public bool TryRead(in SessionKey key, out int ordinal, out long lastUsed) =>
        _store.TryRead(key, out ordinal, out lastUsed);

    public int Find(in SessionKey key) => _store.Find(key);

    public ref readonly SessionEntry At(int position) => ref _store[position];

    public void Add(in SessionKey key, int ordinal, long lastUsed, bool isProtected)
    {
        EnsureOrdinal(ordinal);
        var entry = new SessionEntry { Key = key, Ordinal = ordinal, LastUsed = lastUsed, IsProtected = isProtected };
        var position = _store.Add(entry);
        ListOf(entry).Add(position);
        CountBinding(ordinal, 1);
        _created++;
    }

    /// <summary>The session is in use: it becomes the newest of the protected ones.</summary>
    public void Refresh(int position, long now)
    {
        ref var entry = ref _store[position];
        ListOf(entry).Remove(position);
        entry.IsProtected = true;
        // Somebody else may have learned it a moment later than this request read the clock.
        entry.LastUsed = Math.Max(entry.LastUsed, now);
        _protected.Add(position);
    }

    public void Rebind(int position, int ordinal)
    {
        EnsureOrdinal(ordinal);
        ref var entry = ref _store[position];
        CountBinding(entry.Ordinal, -1);
        CountBinding(ordinal, 1);
        entry.Ordinal = ordinal;
        _ended[(int)SessionEnd.Replaced]++;
        _created++;
    }

    public void End(int position, SessionEnd reason)
    {
        ref var entry = ref _store[position];
        ListOf(entry).Remove(position);
        CountBinding(entry.Ordinal, -1);
        _ended[(int)reason]++;
        _endedSessions.Add(entry.Key, reason);

        if (_store.Remove(position) != position) ListOf(_store[position]).Moved(position);
    }

    /// <summary>Position of the longest unused session of a segment, or -1.</summary>
    public int Oldest(bool isProtected) => (isProtected ? _protected : _probation).Oldest;

    /// <summary>Ends one session last used at or before a time, if there is one.</summary>
    public bool EndOneDue(long dueBefore)
    {
        foreach (var position in (ReadOnlySpan<int>)[_probation.Oldest, _protected.Oldest])
        {
            if (position < 0 || _store[position].LastUsed > dueBefore) continue;

            End(position, SessionEnd.Timeout);
            return true;
        }

        return false;
    }

    private SessionList ListOf(in SessionEntry entry) => entry.IsProtected ? _protected : _probation;

    private void CountBinding(int ordinal, int change) =>
        Volatile.Write(ref _perOrdinal[ordinal], _perOrdinal[ordinal] + change);

    private void EnsureOrdinal(int ordinal)
    {
        if (ordinal < _perOrdinal.Length) return;

        var larger = new int[Math.Max(4, 2 * ordinal)];
        _perOrdinal.CopyTo(larger, 0);
        Volatile.Write(ref _perOrdinal, larger);
    }
}
