using System.Numerics;

namespace StickyIngress.Core.Sessions;

/// <summary>
/// Why sessions that are no more have ended, for a client that comes back with one: as many as have room, each later one in the place of an
/// earlier one. 8 bytes each; reads and writes take no lock.
/// </summary>
internal sealed class EndedSessions
{
    private const int MinPlaces = 1 << 10;
    private const int MaxPlaces = 1 << 16;
    private const ulong ReasonMask = 7;

    // Most of the key with the reason, plus one, in its lowest bits; zero: nothing.
    private readonly ulong[] _places;

    public EndedSessions(int capacity) =>
        _places = new ulong[BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(capacity, MinPlaces, MaxPlaces))];

    public long Bytes => _places.Length * sizeof(ulong);

    public void Add(in SessionKey key, SessionEnd reason) =>
        Volatile.Write(ref _places[PlaceOf(key)], (key.High & ~ReasonMask) | ((ulong)reason + 1));

    public bool TryFind(in SessionKey key, out SessionEnd reason)
    {
        var found = Volatile.Read(ref _places[PlaceOf(key)]);
        reason = (SessionEnd)((found & ReasonMask) - 1);
        return found != 0 && (found & ~ReasonMask) == (key.High & ~ReasonMask);
    }

    private int PlaceOf(in SessionKey key) => (int)key.Low & (_places.Length - 1);
}
