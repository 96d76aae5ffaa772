namespace StickyIngress.Core.Upstreams;

/// <summary>
/// What was changed at run time as it is now, and the one place that changes it. To set what is already so changes nothing and tells nobody,
/// so whoever passes changes on and takes them from elsewhere does not go round in circles.
/// </summary>
public sealed class PeerOverridesHolder
{
    /// <summary>Above this many, what was set for peers that are gone is forgotten.</summary>
    public const int MostKept = 10_000;

    private readonly Lock _gate = new();
    private PeerOverrides _current = PeerOverrides.Empty;

    /// <summary>Raised for each change, one after the other in their order, on the thread that makes it: with what holds for the peer from now on.</summary>
    public event Action<PeerRef, PeerOverride>? Changed;

    public PeerOverrides Current => Volatile.Read(ref _current);

    /// <summary>What was kept from before; at the start, when nobody has changed anything yet.</summary>
    public void Restore(PeerOverrides kept) => Volatile.Write(ref _current, kept);

    /// <summary>Changes what holds for one peer. Returns everything as it is then.</summary>
    public PeerOverrides Change(PeerRef peer, Func<PeerOverride, PeerOverride> change)
    {
        lock (_gate)
        {
            var former = _current.Of(peer);
            var next = change(former);
            if (next == former) return _current;

            Volatile.Write(ref _current, _current.With(peer, next));
            Changed?.Invoke(peer, next);
            return _current;
        }
    }
    /// <summary>Whether something may be set for that peer, after what is of no use was forgotten where there is too much.</summary>
    /// <param name="known">The peers that there are now.</param>
    public bool MakeRoom(PeerRef peer, Func<IReadOnlySet<PeerRef>> known)
    {
        var kept = Current;
        if (kept.Count < MostKept || kept.Of(peer) != PeerOverride.None) return true;

        var present = known();
        foreach (var (gone, _) in kept.All.Where(one => !present.Contains(one.Peer))) Change(gone, static _ => PeerOverride.None);
        return Current.Count < MostKept;
    }
}
