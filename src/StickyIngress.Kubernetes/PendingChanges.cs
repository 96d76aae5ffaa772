using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Control.Sources;

namespace StickyIngress.Kubernetes;

/// <summary>What changed since the last set, each object only as it is now. Guarded by its owner's gate.</summary>
internal sealed class PendingChanges
{
    private readonly Dictionary<ResourceRef, Resource?> _resources = [];
    private readonly Dictionary<ResourceRef, Dictionary<string, EndpointSlice?>> _slices = [];
    private DateTimeOffset? _firstEndpoint;

    public void Note(ResourceRef named, Resource? now) => _resources[named] = now;

    /// <summary>The slice of that Service is this one now; null: it is no longer of that Service.</summary>
    public void NoteSlice(string serviceName, ResourceRef named, EndpointSlice? now, DateTimeOffset arrived)
    {
        if (serviceName.Length == 0) return;

        var service = new ResourceRef(Service.KindName, named.Namespace, serviceName);
        if (!_slices.TryGetValue(service, out var changed)) _slices[service] = changed = [];
        changed[named.Name] = now;
        _firstEndpoint ??= arrived;
    }

    /// <summary>Hands everything over; returns when the oldest endpoint change arrived, null when there is none.</summary>
    public DateTimeOffset? MoveTo(ResourceSetBuilder builder, ResourceSet former)
    {
        foreach (var (named, now) in _resources) builder.Set(named, now);
        foreach (var (service, changed) in _slices)
        {
            var kept = former.EndpointSlices.GetValueOrDefault(service, []).Where(slice => !changed.ContainsKey(slice.Metadata.Name));
            builder.SetSlices(
                service, [.. kept.Concat(changed.Values.OfType<EndpointSlice>()).OrderBy(slice => slice.Metadata.Name, StringComparer.Ordinal)]);
        }

        var arrived = _firstEndpoint;
        _resources.Clear();
        _slices.Clear();
        _firstEndpoint = null;
        return arrived;
    }
}
