using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Sources;

/// <summary>The next set from the one before: what is not touched is shared, what is touched is noted.</summary>
public sealed class ResourceSetBuilder(ResourceSet former)
{
    private readonly ResourceMap<StickyUpstream>.Builder _upstreams = former.Upstreams.ToBuilder();
    private readonly ResourceMap<Service>.Builder _services = former.Services.ToBuilder();
    private readonly ResourceMap<ImmutableArray<EndpointSlice>>.Builder _slices = former.EndpointSlices.ToBuilder();
    private readonly ResourceMap<Ingress>.Builder _ingresses = former.Ingresses.ToBuilder();
    private readonly ResourceMap<IngressClass>.Builder _classes = former.IngressClasses.ToBuilder();
    private readonly ResourceMap<Secret>.Builder _secrets = former.Secrets.ToBuilder();
    private readonly HashSet<ResourceRef> _changed = [];

    public bool IsChanged => _changed.Count > 0;

    /// <summary>The resource is this one now; null: it is gone.</summary>
    public void Set(ResourceRef named, Resource? resource)
    {
        var changed = named.Kind switch
        {
            StickyUpstream.KindName => Set(_upstreams, named, resource as StickyUpstream),
            Service.KindName => Set(_services, named, resource as Service),
            Ingress.KindName => Set(_ingresses, named, resource as Ingress),
            IngressClass.KindName => Set(_classes, named, resource as IngressClass),
            Secret.KindName => Set(_secrets, named, resource as Secret),
            _ => false,
        };
        if (changed) _changed.Add(named);
    }

    /// <summary>The slices of that Service, ordered by name; none: it has no more.</summary>
    public void SetSlices(ResourceRef service, ImmutableArray<EndpointSlice> slices)
    {
        if (slices.IsEmpty)
            _slices.Remove(service);
        else
            _slices[service] = slices;

        _changed.Add(service);
    }

    public ResourceSet ToSet(ImmutableArray<Diagnostic> diagnostics) => new()
    {
        Version = former.Version + 1,
        Upstreams = _upstreams.ToImmutable(),
        Services = _services.ToImmutable(),
        EndpointSlices = _slices.ToImmutable(),
        Ingresses = _ingresses.ToImmutable(),
        IngressClasses = _classes.ToImmutable(),
        Secrets = _secrets.ToImmutable(),
        Diagnostics = diagnostics,
        Changed = _changed,
    };

    private static bool Set<T>(ResourceMap<T>.Builder kind, ResourceRef named, T? resource)
        where T : Resource
    {
        if (resource is null) return kind.Remove(named);
        if (kind.TryGetValue(named, out var known) && ReferenceEquals(known, resource)) return false;

        kind[named] = resource;
        return true;
    }
}
