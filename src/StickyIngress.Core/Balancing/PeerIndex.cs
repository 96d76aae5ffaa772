using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>
/// Makes the choice of smooth round robin, alone or among the least loaded, without looking at every peer: one
/// <see cref="WeightClass"/> for each weight that occurs, and of those only the tops are compared.
/// </summary>
/*
 * It holds the peers as long as none of them is impaired, that is, all may be used at full weight and only a change of a state
 * can alter that. States report their changes; the first trouble makes it write back what the peers have saved up and let go,
 * and the balancer looks at every peer, as nginx does, until things are calm again. A balancer of another snapshot makes it let
 * go in the same way, so there is always one place that knows what a peer has saved.
 *
 * Cost: the number of different weights, plus the logarithm of the number of peers for each peer that changes.
 */
internal sealed class PeerIndex : IPeerIndex
{
    // Part of the peers above which observing each and sorting it in anew takes longer than looking at all.
    private const int ObservedPart = 16;

    private readonly PeerGroup _group;
    private readonly ILoad? _load;
    private readonly WeightClass[] _classes;
    private readonly WeightClass?[] _classOf;
    private readonly int[] _leafOf;
    private readonly PriorityQueue<int, long>? _due;
    private readonly long[] _dueAt;
    private readonly List<int> _observed;
    private readonly bool[] _isObserved;
    private long _now;

    /// <param name="group">Its peers; those down or draining are never chosen here.</param>
    /// <param name="load">What is compared; null: nothing, all take turns.</param>
    public PeerIndex(PeerGroup group, ILoad? load)
    {
        (_group, _load) = (group, load);
        _classOf = new WeightClass?[group.Peers.Length];
        _leafOf = new int[group.Peers.Length];
        _dueAt = new long[group.Peers.Length];
        _isObserved = new bool[group.Peers.Length];
        _observed = new(load is null ? 0 : group.Peers.Length);
        if (load is not null) _due = new(group.Peers.Length);

        var classes = group.Peers.Where(Belongs).GroupBy(peer => peer.Weight);
        _classes = [.. classes.Select(peers => new WeightClass(peers.Key, [.. peers.Select(peer => peer.Index)]))];
        foreach (var one in _classes)
        {
            for (var leaf = 0; leaf < one.Slots.Length; leaf++)
                (_classOf[one.Slots[leaf]], _leafOf[one.Slots[leaf]]) = (one, leaf);
        }
    }

    /// <summary>Whether it knows the peers' newest figures; without that nothing else may be called.</summary>
    public bool Holds { get; private set; }

    /// <summary>So many peers have to be observed in each pick that looking at all is cheaper.</summary>
    public bool IsOverrun => _observed.Count * ObservedPart > _group.Peers.Length;

    /// <summary>Takes the peers from whoever has them; false: some peer is impaired.</summary>
    public bool TryHold(long nowMilliseconds)
    {
        if (_classes.Length == 0) return false;

        foreach (var peer in _group.Peers)
        {
            if (Belongs(peer) && !PeerAccounting.IsUnimpaired(peer)) return false;
        }

        (_now, Holds) = (nowMilliseconds, true);
        _due?.Clear();
        Array.Clear(_dueAt);
        _observed.Clear();
        Array.Clear(_isObserved);
        foreach (var peer in _group.Peers)
        {
            if (_classOf[peer.Index] is not { } one) continue;

            peer.State.Claim();
            (peer.State.Index, peer.State.Slot) = (this, peer.Index);
            one.Fill(_leafOf[peer.Index], _load?.Of(peer, _now) ?? 0, peer.State.CurrentWeight);
            Schedule(peer);
            Watch(peer);
        }

        foreach (var one in _classes) one.Build();
        return Holds;
    }

    /// <summary>Brings loads that change by time up to that time.</summary>
    public void Advance(long nowMilliseconds)
    {
        _now = nowMilliseconds;
        while (_due is not null && _due.TryPeek(out var slot, out var at) && at <= _now / 1000)
        {
            _due.Dequeue();
            if (_dueAt[slot] != at) continue;

            _dueAt[slot] = 0;
            UpdateLoad(slot);
        }
    }

    /// <summary>Observes the peers that are to be, before <see cref="Pick"/>.</summary>
    public void Observe()
    {
        for (var i = _observed.Count - 1; i >= 0; i--)
        {
            var slot = _observed[i];
            var peer = _group.Peers[slot];
            if (_load!.IsToBeObserved(peer))
            {
                _load.Observe(peer, _now);
                UpdateLoad(slot);
                continue;
            }

            _isObserved[slot] = false;
            _observed[i] = _observed[^1];
            _observed.RemoveAt(_observed.Count - 1);
        }
    }

    /// <summary>The peer whose turn it is; null: that can only be found by looking at all, see <see cref="ILoad.ComparesWithFirst"/>.</summary>
    public Peer? Pick()
    {
        var least = _classes[0];
        foreach (var one in _classes)
        {
            if (one.CompareLoad(least) < 0) least = one;
        }

        var (tied, classes) = (0, 0);
        foreach (var one in _classes)
        {
            if (one.CompareLoad(least) == 0) (tied, classes) = (tied + one.Tied, classes + 1);
        }

        if (tied == 1) return _group.Peers[least.RichestSlot];
        if (classes > 1 && _load?.ComparesWithFirst == true) return null;

        return TakeTurns(least);
    }

    /// <summary>A round of which the peer pays the sum, whoever's turn it is. Only where no loads are compared.</summary>
    public Peer Charge(Peer peer)
    {
        var total = 0L;
        foreach (var one in _classes) total += one.Earn();

        if (_classOf[peer.Index] is { } mine) mine.Pay(_leafOf[peer.Index], total);
        else SmoothRound.Pay(peer, total);
        return peer;
    }

    /// <summary>What the peer has saved up; for one that is draining its own figure.</summary>
    public long Saved(Peer peer)
    {
        if (_classOf[peer.Index] is { } one) return one.Saved(_leafOf[peer.Index]);

        peer.State.Claim();
        return peer.State.CurrentWeight;
    }

    public void Changed(int slot)
    {
        if (!PeerAccounting.IsUnimpaired(_group.Peers[slot])) Release();
        else if (_load is not null) UpdateLoad(slot);
    }

    public void Release()
    {
        Holds = false;
        foreach (var one in _classes) one.Settle();
        foreach (var peer in _group.Peers)
        {
            if (_classOf[peer.Index] is not { } one) continue;

            peer.State.CurrentWeight = one.Saved(_leafOf[peer.Index]);
            peer.State.Index = null;
        }
    }

    private static bool Belongs(Peer peer) => !peer.Down && !peer.Draining;

    private Peer TakeTurns(WeightClass least)
    {
        WeightClass? richest = null;
        var total = 0L;
        foreach (var one in _classes)
        {
            if (one.CompareLoad(least) != 0) continue;

            total += one.Earn();
            if (richest is null || one.IsRicherThan(richest)) richest = one;
        }

        var slot = richest!.RichestSlot;
        richest.Pay(_leafOf[slot], total);
        return _group.Peers[slot];
    }

    private void UpdateLoad(int slot)
    {
        var peer = _group.Peers[slot];
        _classOf[slot]!.SetLoad(_leafOf[slot], _load!.Of(peer, _now));
        Schedule(peer);
        Watch(peer);
    }

    private void Watch(Peer peer)
    {
        if (_load is null || _isObserved[peer.Index] || !_load.IsToBeObserved(peer)) return;

        _isObserved[peer.Index] = true;
        _observed.Add(peer.Index);
    }

    /// <summary>A peer is queued once at most, for the earliest time; when that comes it is found whether there is a later one.</summary>
    private void Schedule(Peer peer)
    {
        var at = _load?.ChangesAt(peer, _now) ?? long.MaxValue;
        if (at == long.MaxValue || (_dueAt[peer.Index] > 0 && _dueAt[peer.Index] <= at)) return;

        _dueAt[peer.Index] = at;
        _due!.Enqueue(peer.Index, at);
    }
}
