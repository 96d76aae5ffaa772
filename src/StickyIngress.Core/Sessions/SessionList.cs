namespace StickyIngress.Core.Sessions;

/// <summary>
/// The entries of one segment from the longest unused to the newest, linked through the store. All sessions of a table
/// have one timeout, so this is also the order in which they end.
/// </summary>
internal sealed class SessionList(SessionStore store)
{
    private int _oldest;
    private int _newest;

    /// <summary>Position of the longest unused entry, or -1.</summary>
    public int Oldest => _oldest - 1;

    /// <summary>Links an entry in where its <see cref="SessionEntry.LastUsed"/> belongs: at the end, except on import.</summary>
    public void Add(int position)
    {
        ref var entry = ref store[position];
        var older = _newest;
        while (older != 0 && store[older - 1].LastUsed > entry.LastUsed) older = store[older - 1].Older;

        ref var fromOlder = ref older == 0 ? ref _oldest : ref store[older - 1].Newer;
        ref var fromNewer = ref fromOlder == 0 ? ref _newest : ref store[fromOlder - 1].Older;
        (entry.Older, entry.Newer) = (older, fromOlder);
        (fromOlder, fromNewer) = (position + 1, position + 1);
    }

    public void Remove(int position) => Point(store[position], store[position].Newer, store[position].Older);

    /// <summary>Tells the neighbours that an entry now lies at another position.</summary>
    public void Moved(int to) => Point(store[to], to + 1, to + 1);

    private void Point(in SessionEntry entry, int fromOlder, int fromNewer)
    {
        var (older, newer) = (entry.Older, entry.Newer);
        (older == 0 ? ref _oldest : ref store[older - 1].Newer) = fromOlder;
        (newer == 0 ? ref _newest : ref store[newer - 1].Older) = fromNewer;
    }
}
