using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Sources;

/// <summary>
/// Everything that users wrote, at one moment. Immutable; two sets share what did not change, so that the compiler can tell by
/// reference what did.
/// </summary>
public sealed record ResourceSet
{
    public static ResourceSet Empty { get; } = new();

    /// <summary>Grows with every change.</summary>
    public long Version { get; init; }

    public ResourceMap<StickyUpstream> Upstreams { get; init; } = ResourceMap<StickyUpstream>.Empty;

    public ResourceMap<Service> Services { get; init; } = ResourceMap<Service>.Empty;

    /// <summary>Slices by the Service that they belong to, ordered by name.</summary>
    public ResourceMap<ImmutableArray<EndpointSlice>> EndpointSlices { get; init; } = ResourceMap<ImmutableArray<EndpointSlice>>.Empty;

    public ResourceMap<Ingress> Ingresses { get; init; } = ResourceMap<Ingress>.Empty;

    public ResourceMap<IngressClass> IngressClasses { get; init; } = ResourceMap<IngressClass>.Empty;

    public ResourceMap<Secret> Secrets { get; init; } = ResourceMap<Secret>.Empty;

    /// <summary>What the source found wrong while reading.</summary>
    public ImmutableArray<Diagnostic> Diagnostics { get; init; } = [];

    /// <summary>
    /// What changed since version <see cref="Version"/> - 1, by reference (for a slice: its Service); null: anything may have.
    /// </summary>
    public IReadOnlySet<ResourceRef>? Changed { get; init; }
}
