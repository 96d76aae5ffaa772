using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Compilation;

/// <summary>What an Ingress of ours comes to: routes, certificates, and the upstreams that its Service backends need.</summary>
internal sealed record IngressPlan : IClaimant
{
    public required Ingress Source { get; init; }

    Resource IClaimant.Source => Source;

    public required ImmutableArray<RouteClaim> Routes { get; init; }

    public required ImmutableArray<CertificateClaim> Certificates { get; init; }

    public required ImmutableArray<StickyUpstream> Implicit { get; init; }

    public required ImmutableArray<Diagnostic> Diagnostics { get; init; }

    public required ImmutableArray<ResourceRef> Uses { get; init; }
}
