using System.Net;
using System.Runtime.InteropServices;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core;

/// <summary>What one request remembers from try to try. Used by one thread at a time.</summary>
public sealed class Selection
{
    private TriedSet _tried;
    private TriedSet _triedPrimaries;
    private readonly int _maxTries;
    private HashProgress _hash;

    public Selection(Upstream upstream, RequestValues values, int maxTries)
    {
        _maxTries = maxTries;
        Upstream = upstream;
        Values = values;
        Group = upstream.Primaries;
        Tries = upstream.Primaries.Tries + upstream.Backups.Tries;
        if (maxTries > 0 && maxTries < Tries) Tries = maxTries;
    }

    public Upstream Upstream { get; }

    public RequestValues Values { get; }

    /// <summary>The peers in use now: the primaries until a selection moved on to the backups.</summary>
    public PeerGroup Group { get; private set; }

    /// <summary>How many further tries the request has, the current one included.</summary>
    public int Tries { get; set; }

    /// <summary>Where the client is bound; null: nowhere, or <see cref="Unbound"/> says why its binding is void.</summary>
    public Binding? Binding { get; set; }

    /// <summary>The client presented a binding, valid or not.</summary>
    public bool Presented { get; set; }

    /// <summary>Why what the client presented names no peer; None where it does or where it presented nothing.</summary>
    public BreakReason Unbound { get; set; }

    /// <summary>The peer to which the client's connection is tied by its authentication; null: none. It goes before any binding.</summary>
    public PeerState? Tied { get; set; }

    public AffinityOutcome Outcome { get; set; }

    public BreakReason Reason { get; set; }

    /// <summary>For learn: nobody can be asked who has the session, so it goes where every replica would send it.</summary>
    public bool BoundAlike { get; set; }

    /// <summary>Value of the Set-Cookie header that goes with whatever response the client gets; null: none.</summary>
    public string? SetCookie { get; set; }

    /// <summary>Whether an affinity has read the request already.</summary>
    public bool AffinityRead { get; set; }

    /// <summary>For cookie: what the client's cookie said beside the peer.</summary>
    public CookieSeen Cookie { get; set; }

    /// <summary>For learn: the key of the session id that the client presented, and what the table said of it.</summary>
    public SessionLookup Session { get; set; }

    /// <summary>For learn: the session that the table keeps for as long as the try is open; null: none.</summary>
    public OpenSession? OpenSession { get; set; }

    /// <summary>For the hashes and random: the number reached, rounds made, probes failed, and position on the ring. Set by the balancer.</summary>
    public ref HashProgress Hash => ref _hash;

    /// <summary>For the hash methods, which evaluate their key once.</summary>
    public string? HashKey { get; set; }

    public IPAddress? ClientAddress => Values.ClientAddress;

    /// <summary>The same request anew in another upstream.</summary>
    public Selection In(Upstream upstream) => new(upstream, Values, _maxTries) { Tied = Tied };

    public bool HasTried(Peer peer) => _tried.Contains(peer.Index);

    /// <summary>No peer of the group was tried yet, so <see cref="HasTried"/> need not be asked.</summary>
    public bool TriedNone => _tried.IsEmpty;

    public void MarkTried(Peer peer) => _tried.Add(peer.Index, Group.Peers.Length);

    /// <summary>For good, once a backup is selected: the request never returns to the primaries.</summary>
    public void MoveToBackups()
    {
        Group = Upstream.Backups;
        (_triedPrimaries, _tried) = (_tried, default);
    }

    /// <summary>No backup was available either, so a request that waits may still come to a primary.</summary>
    public void ReturnToPrimaries()
    {
        Group = Upstream.Primaries;
        (_tried, _triedPrimaries) = (_triedPrimaries, default);
    }

    /// <summary>Positions of the peers tried. Nearly every request tries one, so that one costs no allocation.</summary>
    [StructLayout(LayoutKind.Auto)]
    private struct TriedSet
    {
        private int _firstPlusOne;
        private ulong[]? _others;

        public readonly bool IsEmpty => _firstPlusOne == 0;

        public readonly bool Contains(int index) =>
            _firstPlusOne == index + 1 || (_others is not null && (_others[index >> 6] & (1UL << index)) != 0);

        public void Add(int index, int count)
        {
            if (_firstPlusOne == 0)
            {
                _firstPlusOne = index + 1;
                return;
            }

            _others ??= new ulong[(count + 63) / 64];
            _others[index >> 6] |= 1UL << index;
        }
    }
}

/// <summary>Where a hash or random draw stands within one request; it goes on there in the next try.</summary>
[StructLayout(LayoutKind.Auto)]
public struct HashProgress
{
    /// <summary>The number that the hash has come to; on a ring: from which the next point is looked for.</summary>
    public uint Sum { get; set; }

    /// <summary>How often the key was hashed.</summary>
    public int Rounds { get; set; }

    /// <summary>Draws and probes that found no peer; too many of them lead to round robin.</summary>
    public int Misses { get; set; }

    /// <summary>Whether the above hold a value yet.</summary>
    public bool Started { get; set; }
}
