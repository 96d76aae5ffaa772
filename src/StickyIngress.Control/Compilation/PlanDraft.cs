using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core.Routing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Control.Compilation;

/// <summary>
/// A plan while the passes are at it. Lives for one compile of one spec. A start makes many thousands, and most have one server and one route:
/// its builders begin with room for that, not for eight of each.
/// </summary>
internal sealed class PlanDraft(StickyUpstream source, SecretReader secrets, ResourceRef? zoneOwner)
{
    private readonly ImmutableArray<ResourceRef>.Builder _uses = ImmutableArray.CreateBuilder<ResourceRef>(1);

    public StickyUpstream Source { get; } = source;

    public StickyUpstreamSpec Spec => Source.Spec;

    public UpstreamName Name => new(Source.Metadata.Namespace, Source.Metadata.Name);

    public DiagnosticBag Found { get; } = new(source.Ref, source.File);

    public SecretReader Secrets { get; } = secrets;

    /// <summary>Who has the spec's session zone already; null: nobody.</summary>
    public ResourceRef? ZoneOwner { get; } = zoneOwner;

    public Dictionary<string, MapVariable> Variables { get; } = [];

    public ImmutableArray<ServerPlan>.Builder Servers { get; } = ImmutableArray.CreateBuilder<ServerPlan>(1);

    public ImmutableArray<ServerAddress>.Builder NameServers { get; } = ImmutableArray.CreateBuilder<ServerAddress>(0);

    public ImmutableArray<RouteClaim>.Builder Routes { get; } = ImmutableArray.CreateBuilder<RouteClaim>(1);

    public ImmutableArray<CertificateClaim>.Builder Certificates { get; } = ImmutableArray.CreateBuilder<CertificateClaim>(0);

    /// <summary>The hosts for which plain http is redirected; null in it: every host.</summary>
    public List<HostPattern> RedirectedHosts { get; } = [];

    public ProxySettings? Proxy { get; set; }

    public Template? HashKey { get; set; }

    public AffinityPlan? Affinity { get; set; }

    public HealthCheckSettings? HealthCheck { get; set; }

    public void Use(ResourceRef named)
    {
        if (!_uses.Contains(named)) _uses.Add(named);
    }

    public ResourceRef UseSecret(string name)
    {
        var named = new ResourceRef(Secret.KindName, Source.Metadata.Namespace, name);
        Use(named);
        return named;
    }

    /// <summary>Reads a text with variables; where it is wrong the spec is refused and the text counts as empty.</summary>
    public Template Text(string field, string text, Moment moment)
    {
        if (text.Length == 0) return Template.Empty;
        if (!Template.TryParse(text, FindVariable, out var template, out var error))
        {
            var unknown = error.StartsWith("unknown ", StringComparison.Ordinal);
            Found.Refuse(unknown ? Reasons.UnknownVariable : Reasons.InvalidTemplate, field, error);
            return Template.Empty;
        }

        if (Moments.AreKnown(template, moment)) return template;

        Found.Refuse(Reasons.VariableNotYetKnown, field,
            $"\"{text}\" is needed before {(moment == Moment.Request ? "a peer is selected" : "the response is there")}, when a variable in it has no value yet");
        return Template.Empty;
    }

    public UpstreamPlan ToPlan() => new()
    {
        Source = Source,
        Servers = Servers.DrainToImmutable(),
        NameServers = NameServers.DrainToImmutable(),
        Proxy = Proxy!,
        Routes = Routes.DrainToImmutable(),
        Certificates = Certificates.DrainToImmutable(),
        HashKey = HashKey,
        Affinity = Affinity,
        HealthCheck = HealthCheck,
        Diagnostics = Found.ToImmutable(),
        Refused = Found.Refused,
        Uses = _uses.DrainToImmutable(),
    };

    private Variable? FindVariable(string name) =>
        Variables.TryGetValue(name, out var map) ? new Variable(VariableKind.Map, name, map) : null;
}
