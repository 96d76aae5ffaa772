using System.Runtime.InteropServices;

namespace StickyIngress.Core.Sessions;

/// <summary>
/// The sessions of one shard that have open requests, one place for each request: adding and removing is a write into an array.
/// Used under the shard's gate.
/// </summary>
internal sealed class OpenSessions
{
    private const int NoPlace = -1;

    private Place[] _places = [];
    private int _used; // places that were ever taken
    private int _free = NoPlace; // the latest one given back; it names the one before

    public int Add(in SessionKey key)
    {
        var place = _free;
        if (place == NoPlace)
        {
            if (_used == _places.Length) Array.Resize(ref _places, Math.Max(4, 2 * _used));
            place = _used++;
        }
        else
        {
            _free = _places[place].NextFree;
        }

        _places[place] = new(key, true, NoPlace);
        return place;
    }

    public void Remove(int place)
    {
        _places[place] = new(default, false, _free);
        _free = place;
    }

    /// <summary>Those that are in the shard and were last used at or before a time are in use now; tells which.</summary>
    public void Refresh(SessionShard shard, long usedBefore, long now, List<SessionLearned> refreshed)
    {
        foreach (ref readonly var place in _places.AsSpan(0, _used))
        {
            if (!place.IsTaken || shard.Find(place.Key) is not (>= 0 and var position)) continue;

            var slot = shard.Slots[position];
            if (slot.LastUsed > usedBefore) continue;

            shard.Refresh(position, slot.Ordinal, now);
            refreshed.Add(new(place.Key, new(LearnOutcome.Refreshed, slot.Ordinal), slot.Ordinal, TimeSpan.FromMilliseconds(now - slot.LastUsed)));
        }
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Place(SessionKey Key, bool IsTaken, int NextFree);
}
