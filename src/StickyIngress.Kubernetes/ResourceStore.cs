using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Kubernetes.Reading;

namespace StickyIngress.Kubernetes;

/// <summary>
/// The objects of one kind as they are now. Several watches, one per namespace, may fill it. An object that changes only in what is
/// not compiled (its version, its status) is replaced here but not told as changed.
/// </summary>
/// <param name="changed">Told of each change: the name, what was there and what is now. Called under the gate.</param>
/// <param name="touched">Told of objects that changed only in what is not compiled. Called under the gate.</param>
internal sealed class ResourceStore<T>(
    ResourceKind<T> kind, Lock gate, Action<ResourceRef, T?, T?> changed, Action<ResourceRef>? touched = null)
    where T : Resource
{
    private readonly Dictionary<ResourceRef, T> _objects = [];
    private readonly Dictionary<ResourceRef, ImmutableArray<Diagnostic>> _findings = [];

    public ResourceKind<T> Kind => kind;

    public bool TryGet(ResourceRef named, [NotNullWhen(true)] out T? found)
    {
        lock (gate) return _objects.TryGetValue(named, out found);
    }

    /// <summary>The objects as they are; the gate is held by the caller.</summary>
    public IReadOnlyDictionary<ResourceRef, T> Objects => _objects;

    /// <summary>What reading them found; the gate is held by the caller.</summary>
    public IEnumerable<Diagnostic> Findings => _findings.Values.SelectMany(found => found);

    public void Put(ResourceRef named, ObjectReading<T> next)
    {
        lock (gate) PutUnderGate(named, next);
    }

    public void Remove(ResourceRef named)
    {
        lock (gate) RemoveUnderGate(named);
    }

    /// <summary>The scope holds what was listed and nothing else, unless it cannot be said what was listed. Objects that are unchanged keep their reference.</summary>
    public void Replace(WatchScope scope, Listing<T> listing)
    {
        lock (gate)
        {
            IEnumerable<ResourceRef> gone = listing.Unreadable is not null ? [] : _objects.Keys.Concat(_findings.Keys)
                .Where(named => scope.Holds(named) && !listing.Seen.Contains(named)).Distinct().ToArray();
            foreach (var named in gone) RemoveUnderGate(named);
            foreach (var (named, next) in listing.Changed) PutUnderGate(named, next);
        }
    }

    private void PutUnderGate(ResourceRef named, ObjectReading<T> next)
    {
        var told = Note(named, next.Findings);
        _objects.TryGetValue(named, out var former);
        var same = former is not null && next.Found is not null ? kind.Unchanged(former, next.Found) : null;
        var now = same ?? next.Found ?? former;
        if (now is not null) _objects[named] = now;
        if (same is not null) touched?.Invoke(named);
        if (told || (same is null && next.Found is not null)) changed(named, former, now);
    }

    private void RemoveUnderGate(ResourceRef named)
    {
        var told = Note(named, []);
        if (_objects.Remove(named, out var former) || told) changed(named, former, null);
    }

    /// <summary>Whether there was or is anything to tell.</summary>
    private bool Note(ResourceRef named, ImmutableArray<Diagnostic> findings)
    {
        if (findings.IsEmpty) return _findings.Remove(named);

        _findings[named] = findings;
        return true;
    }
}

/// <summary>What a list has brought so far. Only what differs from the store is held, so the objects are never there twice.</summary>
/// <param name="trusting">
/// Whether an object whose version is the known one is the known one. Not so when the server's versions went backwards.
/// </param>
internal sealed class Listing<T>(ResourceStore<T> store, bool trusting)
    where T : Resource
{
    public HashSet<ResourceRef> Seen { get; } = [];

    public Dictionary<ResourceRef, ObjectReading<T>> Changed { get; } = [];

    /// <summary>Why an object could not even be named, so that any that is not seen may be it; null: all were.</summary>
    public string? Unreadable { get; set; }

    /// <summary>Notes that the object is there; whether it need not be read because the store has this version of it.</summary>
    public bool Knows(ResourceRef named, string version)
    {
        Seen.Add(named);
        return trusting && store.TryGet(named, out var known) && known.Metadata.ResourceVersion == version;
    }
}
