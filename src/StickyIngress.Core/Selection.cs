using System.Net;
using System.Runtime.InteropServices;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core;

/// <summary>What one request remembers from try to try. Used by one thread at a time.</summary>
public sealed class Selection
{
    private ulong _tried;
    private ulong[]? _triedBeyond;
    private HashProgress _hash;

    public Selection(Upstream upstream, RequestValues values, int maxTries)
    {
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

    public AffinityOutcome Outcome { get; set; }

    public BreakReason Reason { get; set; }

    /// <summary>Value of the Set-Cookie header that goes with whatever response the client gets; null: none.</summary>
    public string? SetCookie { get; set; }

    /// <summary>Whether an affinity has read the request already.</summary>
    public bool AffinityRead { get; set; }

    /// <summary>For cookie: what the client's cookie said beside the peer.</summary>
    public CookieSeen Cookie { get; set; }

    /// <summary>For learn: the key of the session id that the client presented, and what the table said of it.</summary>
    public SessionLookup Session { get; set; }

    /// <summary>For the hashes and random: the number reached, rounds made, probes failed, and position on the ring. Set by the balancer.</summary>
    public ref HashProgress Hash => ref _hash;

    /// <summary>For the hash methods, which evaluate their key once.</summary>
    public string? HashKey { get; set; }

    public IPAddress? ClientAddress => Values.ClientAddress;

    public bool HasTried(Peer peer) => peer.Index < 64
        ? (_tried & (1UL << peer.Index)) != 0
        : _triedBeyond is { } beyond && (beyond[(peer.Index >> 6) - 1] & (1UL << peer.Index)) != 0;

    /// <summary>No peer of the group was tried yet, so <see cref="HasTried"/> need not be asked.</summary>
    public bool TriedNone => _tried == 0 && _triedBeyond is null;

    public void MarkTried(Peer peer)
    {
        if (peer.Index < 64)
        {
            _tried |= 1UL << peer.Index;
            return;
        }

        _triedBeyond ??= new ulong[(Group.Peers.Length + 63) / 64];
        _triedBeyond[(peer.Index >> 6) - 1] |= 1UL << peer.Index;
    }

    /// <summary>For good: a request that has come to the backups never returns to the primaries.</summary>
    public void MoveToBackups()
    {
        Group = Upstream.Backups;
        _tried = 0;
        _triedBeyond = null;
    }
}

/// <summary>Where a hash or random draw stands within one request; it goes on there in the next try.</summary>
[StructLayout(LayoutKind.Auto)]
public struct HashProgress
{
    public uint Sum { get; set; }
    public int Rounds { get; set; }
    public int Misses { get; set; }
    public int Point { get; set; }
    public bool Started { get; set; }
}
