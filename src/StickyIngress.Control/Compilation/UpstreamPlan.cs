using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core.Routing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Control.Compilation;

/// <summary>What a spec alone comes to, without its peers: it changes only with the spec and the Secrets that it names.</summary>
internal sealed record UpstreamPlan : IClaimant
{
    public required StickyUpstream Source { get; init; }

    Resource IClaimant.Source => Source;

    public required ImmutableArray<ServerPlan> Servers { get; init; }

    /// <summary>Who is asked for the names that servers follow; empty: the installation's name servers.</summary>
    public ImmutableArray<ServerAddress> NameServers { get; init; } = [];

    public required ProxySettings Proxy { get; init; }

    public required ImmutableArray<RouteClaim> Routes { get; init; }

    public required ImmutableArray<CertificateClaim> Certificates { get; init; }

    /// <summary>For the hash method alone.</summary>
    public Template? HashKey { get; init; }

    /// <summary>Null: clients do not stick.</summary>
    public AffinityPlan? Affinity { get; init; }

    /// <summary>Null: peers are not checked.</summary>
    public HealthCheckSettings? HealthCheck { get; init; }

    /// <summary>Name of the session table among all of the installation; null: the upstream has none.</summary>
    public string? Zone => Source.Spec.Sticky?.Learn is { } learn ? $"{Source.Metadata.Namespace}/{learn.Zone?.Name ?? $"upstream:{Source.Metadata.Name}"}" : null;

    public required ImmutableArray<Diagnostic> Diagnostics { get; init; }

    /// <summary>The spec must not serve.</summary>
    public required bool Refused { get; init; }

    /// <summary>The Services, Secrets and host names that it names, whether they exist or not.</summary>
    public required ImmutableArray<ResourceRef> Uses { get; init; }
}

/// <summary>A server of the spec, and its address where it has one.</summary>
internal sealed record ServerPlan(ServerSpec Spec, string Field, ServerAddress? Address)
{
    /// <summary>The name that it follows in DNS; null: none. A known address with resolve means nothing more than one without, as in nginx.</summary>
    public string? FollowedHost => Spec.Resolve ? Address?.Host : null;
}

/// <summary>The templates of the one affinity that the spec has.</summary>
internal sealed record AffinityPlan
{
    public Template Domain { get; init; } = Template.Empty;

    public Template SameSite { get; init; } = Template.Empty;

    public ImmutableArray<Template> From { get; init; } = [];

    public ImmutableArray<Template> Create { get; init; } = [];

    public ImmutableArray<Template> Lookup { get; init; } = [];
}

/// <summary>A host and path that a resource wants.</summary>
/// <param name="Target">Where it leads; an upstream that there may not be.</param>
/// <param name="Proxy">Null: as the target has it.</param>
/// <param name="Fallback">Yields to whoever else wants the place, and is told nothing.</param>
internal sealed record RouteClaim(
    HostPattern Host, PathPattern Path, UpstreamName? Target, ProxySettings? Proxy, HttpsHosts? Https, string Field, bool Fallback = false);

/// <summary>A host that a resource has a certificate for; null: any that has none.</summary>
internal sealed record CertificateClaim(string? Host, ServerCertificate Certificate, string Field);
