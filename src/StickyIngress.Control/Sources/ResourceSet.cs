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

    public ImmutableDictionary<ResourceRef, StickyUpstream> Upstreams { get; init; } = ImmutableDictionary<ResourceRef, StickyUpstream>.Empty;

    public ImmutableDictionary<ResourceRef, Service> Services { get; init; } = ImmutableDictionary<ResourceRef, Service>.Empty;

    /// <summary>Slices by the Service that they belong to, ordered by name.</summary>
    public ImmutableDictionary<ResourceRef, ImmutableArray<EndpointSlice>> EndpointSlices { get; init; } =
        ImmutableDictionary<ResourceRef, ImmutableArray<EndpointSlice>>.Empty;

    public ImmutableDictionary<ResourceRef, Ingress> Ingresses { get; init; } = ImmutableDictionary<ResourceRef, Ingress>.Empty;

    public ImmutableDictionary<ResourceRef, IngressClass> IngressClasses { get; init; } = ImmutableDictionary<ResourceRef, IngressClass>.Empty;

    public ImmutableDictionary<ResourceRef, Secret> Secrets { get; init; } = ImmutableDictionary<ResourceRef, Secret>.Empty;

    /// <summary>What the source found wrong while reading.</summary>
    public ImmutableArray<Diagnostic> Diagnostics { get; init; } = [];

    /// <summary>
    /// What changed since version <see cref="Version"/> - 1, by reference (for a slice: its Service); null: anything may have.
    /// </summary>
    public IReadOnlySet<ResourceRef>? Changed { get; init; }
}
