namespace StickyIngress.Core.Sessions;

/// <summary>
/// Gives the peers of one upstream small numbers, which is what the session table stores. A peer keeps its number for as long
/// as it exists, and afterwards while a session is still bound to it; only then may another peer get the number.
/// </summary>
public sealed class PeerOrdinals
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _ordinals = [];
    private readonly Dictionary<string, Func<bool>> _released = [];
    private readonly SortedSet<int> _free = [];
    private string?[] _peers = [];
    private int _used;

    /// <summary>The number of a peer; a new one if it has none. Takes back a release.</summary>
    public int Assign(string peerId)
    {
        lock (_gate)
        {
            _released.Remove(peerId);
            return OrdinalOf(peerId);
        }
    }

    public bool TryGetOrdinal(string peerId, out int ordinal)
    {
        lock (_gate) return _ordinals.TryGetValue(peerId, out ordinal);
    }

    /// <summary>The number of a peer that is not gone.</summary>
    public bool TryGetCurrent(string peerId, out int ordinal)
    {
        lock (_gate) return _ordinals.TryGetValue(peerId, out ordinal) && !_released.ContainsKey(peerId);
    }

    /// <summary>The peer that has a number, released ones included; null: none. Takes no lock.</summary>
    public string? PeerAt(int ordinal)
    {
        var peers = Volatile.Read(ref _peers);
        return (uint)ordinal < (uint)peers.Length ? Volatile.Read(ref peers[ordinal]) : null;
    }

    /// <summary>The peer is gone.</summary>
    /// <param name="held">Whether a request still holds it: such a request could bind a session to it.</param>
    public void Release(string peerId, Func<bool> held)
    {
        lock (_gate)
        {
            if (_ordinals.ContainsKey(peerId)) _released[peerId] = held;
        }
    }

    /// <summary>Frees the numbers of released peers that no request holds and no session is bound to; answers how many.</summary>
    public int Reclaim(SessionTable table)
    {
        lock (_gate)
        {
            var freed = 0;
            foreach (var (peerId, held) in _released)
            {
                var ordinal = _ordinals[peerId];
                if (held() || table.CountFor(ordinal) > 0) continue;

                _released.Remove(peerId);
                _ordinals.Remove(peerId);
                _free.Add(ordinal);
                Volatile.Write(ref _peers[ordinal], null);
                freed++;
            }

            return freed;
        }
    }

    /// <summary>The peers by number as they are now; null where a number is free.</summary>
    public string?[] ToArray()
    {
        lock (_gate) return _peers[.._used];
    }

    /// <summary>
    /// Numbers for the peers of a saved table, by its old numbers, with their sessions taken in before any number can be
    /// reclaimed. Peers that nobody has assigned yet count as released until somebody does.
    /// </summary>
    internal int Restore(IReadOnlyList<string?> peers, Func<int[], int> import)
    {
        lock (_gate)
        {
            var ordinals = new int[peers.Count];
            for (var i = 0; i < ordinals.Length; i++)
            {
                ordinals[i] = SessionTable.Unbound;
                if (peers[i] is not { } peerId) continue;

                var known = _ordinals.ContainsKey(peerId);
                ordinals[i] = OrdinalOf(peerId);
                if (!known) _released[peerId] = static () => false;
            }

            return import(ordinals);
        }
    }

    private int OrdinalOf(string peerId)
    {
        if (_ordinals.TryGetValue(peerId, out var ordinal)) return ordinal;

        if (_free.Count > 0)
        {
            ordinal = _free.Min;
            _free.Remove(ordinal);
        }
        else
        {
            ordinal = _used++;
            if (ordinal >= _peers.Length)
            {
                var larger = new string?[Math.Max(4, 2 * ordinal)];
                _peers.CopyTo(larger, 0);
                Volatile.Write(ref _peers, larger);
            }
        }

        _ordinals.Add(peerId, ordinal);
        Volatile.Write(ref _peers[ordinal], peerId);
        return ordinal;
    }
}
