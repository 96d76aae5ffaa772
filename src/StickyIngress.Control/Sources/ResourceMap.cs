using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using StickyIngress.Api;

namespace StickyIngress.Control.Sources;

/*
 * One small dictionary for each of some shards, and a name's hash says in which it is. A map is never changed: a builder goes on with the
 * shards of the map before and copies those that it touches, once.
 *
 * Cost: a change copies one shard and the array of them: with 10,000 resources some 64 entries and 256 references. A start, which puts in
 *       everything, pays what dictionaries cost and not the nodes and turns of a tree (ImmutableDictionary).
 */

/// <summary>Something for each resource, in no order. Immutable: the next map shares with it what did not change.</summary>
[SuppressMessage("Design", "CA1000", Justification = "an empty one is asked for as with ImmutableDictionary")]
public sealed class ResourceMap<T> : ResourceDictionary<T>
{
    private ResourceMap(Dictionary<ResourceRef, T>[] shards, int count)
        : base(shards, count)
    {
    }

    public static ResourceMap<T> Empty { get; } = new([[]], 0);

    public ResourceMap<T> SetItem(ResourceRef named, T value)
    {
        var next = ToBuilder();
        next[named] = value;
        return next.ToImmutable();
    }

    public Builder ToBuilder() => new(this);

    /// <summary>The next map while it is made. Used by one thread at a time.</summary>
    public sealed class Builder : ResourceDictionary<T>
    {
        private const int MostPerShard = 64;

        // Null: it is the same map so far.
        private bool[]? _owned;

        private ResourceMap<T> _map;

        internal Builder(ResourceMap<T> map)
            : base(map.Shards, map.Count) => _map = map;

        public new T this[ResourceRef named]
        {
            get => base[named];
            set
            {
                ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(Own(named), named, out var exists);
                place = value;
                if (exists) return;

                Count++;
                if (Count > Shards.Length * MostPerShard) Grow();
            }
        }

        public bool Remove(ResourceRef named)
        {
            if (!ContainsKey(named)) return false;

            Own(named).Remove(named);
            Count--;
            return true;
        }

        /// <summary>The same map where nothing was changed.</summary>
        public ResourceMap<T> ToImmutable()
        {
            if (_owned is null) return _map;

            _owned = null;
            return _map = new(Shards, Count);
        }

        /// <summary>The name's shard, to be changed.</summary>
        private Dictionary<ResourceRef, T> Own(ResourceRef named)
        {
            if (_owned is null)
            {
                _owned = new bool[Shards.Length];
                Shards = [.. Shards];
            }

            var at = IndexOf(named);
            if (_owned[at]) return Shards[at];

            _owned[at] = true;
            return Shards[at] = new(Shards[at]);
        }

        private void Grow()
        {
            var all = Shards;
            Shards = new Dictionary<ResourceRef, T>[all.Length * 2];
            for (var i = 0; i < Shards.Length; i++) Shards[i] = new(MostPerShard);
            foreach (var shard in all)
            {
                foreach (var (named, value) in shard) Shards[IndexOf(named)].Add(named, value);
            }

            _owned = new bool[Shards.Length];
            Array.Fill(_owned, true);
        }
    }
}

/// <summary>How a map and its builder are read.</summary>
public abstract class ResourceDictionary<T> : IReadOnlyDictionary<ResourceRef, T>
{
    private protected ResourceDictionary(Dictionary<ResourceRef, T>[] shards, int count) => (Shards, Count) = (shards, count);

    public int Count { get; private protected set; }

    public IEnumerable<ResourceRef> Keys => this.Select(entry => entry.Key);

    public IEnumerable<T> Values => this.Select(entry => entry.Value);

    /// <summary>A power of two of them.</summary>
    private protected Dictionary<ResourceRef, T>[] Shards { get; set; }

    public T this[ResourceRef named] => Shards[IndexOf(named)][named];

    public bool ContainsKey(ResourceRef named) => Shards[IndexOf(named)].ContainsKey(named);

    public bool TryGetValue(ResourceRef named, [MaybeNullWhen(false)] out T value) => Shards[IndexOf(named)].TryGetValue(named, out value);

    public IEnumerator<KeyValuePair<ResourceRef, T>> GetEnumerator()
    {
        foreach (var shard in Shards)
        {
            foreach (var entry in shard) yield return entry;
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private protected int IndexOf(ResourceRef named) => named.GetHashCode() & (Shards.Length - 1);
}
