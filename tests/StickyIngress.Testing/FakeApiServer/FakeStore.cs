using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;

namespace StickyIngress.Testing;

/// <summary>An object as it was written, in the JSON that is served.</summary>
public sealed record FakeObject(string Namespace, string Name, long Version, ReadOnlyMemory<byte> Json)
{
    public JsonObject Read() => JsonNode.Parse(Json.Span)!.AsObject();
}

/// <summary>What happened to an object: ADDED, MODIFIED or DELETED.</summary>
public sealed record FakeEvent(long Version, string Type, FakeResource Resource, FakeObject Object);

/// <summary>All objects at one version, as a backup has them.</summary>
public sealed record FakeStoreState(
    long Version, ImmutableDictionary<FakeResource, ImmutableSortedDictionary<string, FakeObject>> Objects);

/// <summary>
/// Objects with one resource version for all, as etcd has them: each write makes a new version, the events since the compaction
/// horizon can be had again, and a state once taken never changes.
/// </summary>
public sealed class FakeStore
{
    private readonly Lock _gate = new();
    private readonly List<FakeEvent> _events = [];
    private readonly Dictionary<long, FakeStoreState> _pages = [];
    private FakeStoreState _state = new(100, ImmutableDictionary<FakeResource, ImmutableSortedDictionary<string, FakeObject>>.Empty);
    private long _horizon;
    private int _uids;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FakeStoreState State
    {
        get
        {
            lock (_gate) return _state;
        }
    }

    /// <summary>Ends with the next change.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate) return _changed.Task;
        }
    }

    /// <summary>Creates or replaces the object. A status that is not given stays. Returns the new version.</summary>
    public long Put(string json) => Put(JsonNode.Parse(json)!.AsObject());

    /// <inheritdoc cref="Put(string)"/>
    public long Put(JsonObject given)
    {
        lock (_gate)
        {
            var resource = FakeResource.OfKind((string)given["kind"]!);
            var former = Find(resource, FakeObjects.Namespace(given), FakeObjects.Name(given));
            var next = given.DeepClone().AsObject();
            if (former?.Read()["status"] is { } status && next["status"] is null) next["status"] = status.DeepClone();
            return Write(resource, next, former).Version;
        }
    }

    public FakeObject? Find(FakeResource resource, string space, string name)
    {
        lock (_gate) return Objects(resource).GetValueOrDefault(Key(space, name));
    }

    public JsonObject? Find(string kind, string space, string name) => Find(FakeResource.OfKind(kind), space, name)?.Read();

    public bool Delete(string kind, string space, string name)
    {
        lock (_gate)
        {
            var resource = FakeResource.OfKind(kind);
            if (Find(resource, space, name) is not { } former) return false;

            var version = _state.Version + 1;
            var json = former.Read();
            json["metadata"]!["resourceVersion"] = $"{version}";
            var last = former with { Version = version, Json = Bytes(json) };
            Commit(version, "DELETED", resource, last, Objects(resource).Remove(Key(space, name)));
            return true;
        }
    }

    /// <summary>Replaces the object with what the function makes of it; null leaves it as it is.</summary>
    public FakeObject Update(FakeResource resource, FakeObject former, Func<JsonObject, JsonObject?> change)
    {
        lock (_gate)
        {
            var next = change(former.Read());
            return next is null ? former : Write(resource, next, former);
        }
    }

    /// <summary>The events after the version, in order, up to the current version; null when they are compacted away.</summary>
    public IReadOnlyList<FakeEvent>? EventsAfter(long version, FakeResource resource, out long current)
    {
        lock (_gate)
        {
            current = _state.Version;
            if (version < _horizon) return null;

            var first = _events.FindLastIndex(it => it.Version <= version) + 1;
            return [.. _events.Skip(first).Where(it => it.Resource == resource)];
        }
    }

    /// <summary>Forgets all events: whoever is not up to date must list.</summary>
    public void Compact()
    {
        lock (_gate)
        {
            // The version moves on, so that nobody who waits is up to date by chance.
            _state = _state with { Version = _state.Version + 1 };
            _horizon = _state.Version;
            _events.Clear();
            _pages.Clear();
            Tell();
        }
    }

    /// <summary>Back to that state, its lower version included, as from a backup.</summary>
    public void Restore(FakeStoreState state)
    {
        lock (_gate)
        {
            _state = state;
            _horizon = state.Version;
            _events.Clear();
            _pages.Clear();
            Tell();
        }
    }

    /// <summary>A list of this state will be continued.</summary>
    internal void Remember(FakeStoreState state)
    {
        lock (_gate) _pages[state.Version] = state;
    }

    /// <summary>The state of a list that is continued; null once it is compacted away.</summary>
    internal FakeStoreState? Recall(long version)
    {
        lock (_gate) return _pages.GetValueOrDefault(version);
    }

    internal static string Key(string space, string name) => $"{space}/{name}";

    internal static byte[] Bytes(JsonNode json) => Encoding.UTF8.GetBytes(json.ToJsonString());

    private FakeObject Write(FakeResource resource, JsonObject json, FakeObject? former)
    {
        var version = _state.Version + 1;
        var was = former?.Read();
        var metadata = json["metadata"]!.AsObject();
        json["apiVersion"] = resource.ApiVersion;
        json["kind"] = resource.Kind;
        metadata["uid"] = was?["metadata"]!["uid"]!.DeepClone() ?? $"uid-{++_uids}";
        metadata["creationTimestamp"] = was?["metadata"]!["creationTimestamp"]!.DeepClone() ?? "2026-01-01T00:00:00Z";
        metadata["resourceVersion"] = $"{version}";
        if (resource.Counts)
        {
            var generation = was is null ? 0 : (long)was["metadata"]!["generation"]!;
            metadata["generation"] = was is not null && JsonNode.DeepEquals(Content(was), Content(json)) ? generation : generation + 1;
        }

        var written = new FakeObject(FakeObjects.Namespace(json), FakeObjects.Name(json), version, Bytes(json));
        var objects = Objects(resource).SetItem(Key(written.Namespace, written.Name), written);
        Commit(version, former is null ? "ADDED" : "MODIFIED", resource, written, objects);
        return written;
    }

    private static JsonObject Content(JsonObject json)
    {
        var content = json.DeepClone().AsObject();
        content.Remove("metadata");
        content.Remove("status");
        return content;
    }

    private ImmutableSortedDictionary<string, FakeObject> Objects(FakeResource resource) =>
        _state.Objects.GetValueOrDefault(resource) ?? ImmutableSortedDictionary.Create<string, FakeObject>(StringComparer.Ordinal);

    private void Commit(
        long version, string type, FakeResource resource, FakeObject written, ImmutableSortedDictionary<string, FakeObject> objects)
    {
        _state = new(version, _state.Objects.SetItem(resource, objects));
        _events.Add(new(version, type, resource, written));
        Tell();
    }

    private void Tell()
    {
        var told = _changed;
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        told.SetResult();
    }
}
