using System.Numerics;
using System.Runtime.InteropServices;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>
/// The peers of one weight, as a tree whose top knows the least load, how many peers have it, and which of those has saved up
/// most; of equals the first.
/// </summary>
/*
 * A binary tree over the peers in their order, in one array: node i has the children 2i and 2i + 1. In a round only the peers
 * with the least load earn, all of them the same, so earning is a note at the top ("so much for the least loaded below"). It is
 * handed down one level at a time, to the children that have that least load, before anything below is looked at or changed.
 */
internal sealed class WeightClass
{
    private readonly Node[] _nodes;
    private readonly int _leaves;
    private readonly int _height;

    public WeightClass(int weight, int[] slots)
    {
        (Weight, Slots) = (weight, slots);
        _leaves = (int)BitOperations.RoundUpToPowerOf2((uint)slots.Length);
        _height = BitOperations.Log2((uint)_leaves);
        _nodes = new Node[2 * _leaves];
        Array.Fill(_nodes, new() { Load = long.MaxValue });
    }

    public int Weight { get; }

    /// <summary>Positions in the group, by leaf.</summary>
    public int[] Slots { get; }

    /// <summary>How many peers have the least load.</summary>
    public int Tied => _nodes[1].Tied;

    /// <summary>Position in the group of the peer with the least load that has saved up most.</summary>
    public int RichestSlot => Slots[_nodes[1].Richest];

    /// <summary>Compares the least loads of both, in proportion to their weights.</summary>
    public int CompareLoad(WeightClass other) =>
        (_nodes[1].Load * other.Weight).CompareTo(other._nodes[1].Load * Weight);

    public bool IsRicherThan(WeightClass other)
    {
        var (mine, theirs) = (_nodes[1].Saved, other._nodes[1].Saved);
        return mine > theirs || (mine == theirs && RichestSlot < other.RichestSlot);
    }

    /// <summary>Sets a peer; after the last one comes <see cref="Build"/>.</summary>
    public void Fill(int leaf, long load, long saved) =>
        _nodes[_leaves + leaf] = new() { Load = load, Saved = saved, Tied = 1, Richest = leaf };

    public void Build()
    {
        for (var i = _leaves - 1; i > 0; i--)
        {
            _nodes[i].Pending = 0;
            Gather(i);
        }
    }

    /// <summary>Every peer with the least load earns its weight. Returns the sum.</summary>
    public long Earn()
    {
        var each = (long)Weight * SlowStart.UnitParts;
        _nodes[1].Add(each);
        return each * Tied;
    }

    public void Pay(int leaf, long total)
    {
        HandDownTo(leaf);
        _nodes[_leaves + leaf].Saved -= total;
        GatherFrom(leaf);
    }

    public void SetLoad(int leaf, long load)
    {
        if (_nodes[_leaves + leaf].Load == load) return;

        HandDownTo(leaf);
        _nodes[_leaves + leaf].Load = load;
        GatherFrom(leaf);
    }

    public long Saved(int leaf)
    {
        HandDownTo(leaf);
        return _nodes[_leaves + leaf].Saved;
    }

    /// <summary>Hands everything down, so that <see cref="Saved"/> has nothing left to do.</summary>
    public void Settle()
    {
        for (var i = 1; i < _leaves; i++) HandDown(i);
    }

    private void HandDownTo(int leaf)
    {
        for (var level = _height; level > 0; level--) HandDown((_leaves + leaf) >> level);
    }

    private void HandDown(int i)
    {
        ref var node = ref _nodes[i];
        if (node.Pending == 0) return;

        ref var left = ref _nodes[2 * i];
        ref var right = ref _nodes[(2 * i) + 1];
        if (left.Load == node.Load) left.Add(node.Pending);
        if (right.Load == node.Load) right.Add(node.Pending);
        node.Pending = 0;
    }

    private void GatherFrom(int leaf)
    {
        for (var i = (_leaves + leaf) >> 1; i > 0; i >>= 1) Gather(i);
    }

    private void Gather(int i)
    {
        ref var node = ref _nodes[i];
        ref var left = ref _nodes[2 * i];
        ref var right = ref _nodes[(2 * i) + 1];
        var both = left.Load == right.Load;
        ref var from = ref (left.Load < right.Load || (both && left.Saved >= right.Saved) ? ref left : ref right);
        (node.Load, node.Saved, node.Richest) = (from.Load, from.Saved, from.Richest);
        node.Tied = both ? left.Tied + right.Tied : from.Tied;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Node
    {
        /// <summary>The least below.</summary>
        public long Load;

        /// <summary>The most that a peer with that load has saved up.</summary>
        public long Saved;

        /// <summary>Earned by each peer with that load, and not yet handed down.</summary>
        public long Pending;

        /// <summary>How many have that load.</summary>
        public int Tied;

        /// <summary>The leaf of the peer with those savings.</summary>
        public int Richest;

        public void Add(long earned)
        {
            Saved += earned;
            Pending += earned;
        }
    }
}
