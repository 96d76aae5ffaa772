using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Resolving;
using StickyIngress.Control.Sources;
using StickyIngress.Control.Status;
using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Routing;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Compilation;

/// <summary>
/// What a set of resources came to: the snapshot to serve, and what there is to say about each resource. Immutable; the next
/// compile starts from it and does again only what a change touches.
/// </summary>
public sealed class CompileResult
{
    private readonly Lazy<ImmutableArray<Diagnostic>> _diagnostics;

    internal CompileResult() =>
        _diagnostics = new(() => [.. Statuses.Values.SelectMany(status => status.Diagnostics).Order(DiagnosticOrder.Instance)]);

    public static CompileResult Empty { get; } = new();

    public Snapshot Snapshot => Places.Snapshot;

    /// <summary>Every route of the snapshot with the resource that it is of, in no order.</summary>
    public ImmutableArray<PlacedRoute> Routes => Places.Routes;

    /// <summary>Everything that is to be told about any resource or file, in a stable order.</summary>
    public ImmutableArray<Diagnostic> Diagnostics => _diagnostics.Value;

    /// <summary>What became of each resource of ours, and of each that something is wrong with; a file that cannot be read is of kind File.</summary>
    public ResourceMap<ResourceStatus> Statuses { get; internal init; } = ResourceMap<ResourceStatus>.Empty;

    /// <summary>Those that differ from the compile before, in a stable order.</summary>
    public ImmutableArray<ResourceStatus> ChangedStatuses { get; internal init; } = [];

    /// <summary>The upstreams that differ from the compile before.</summary>
    public ImmutableArray<UpstreamChange> Changes { get; internal init; } = [];

    /// <summary>How many StickyUpstreams and Ingresses are for other installations.</summary>
    public int Ignored => Elsewhere.Count;

    /// <summary>The names that servers have.</summary>
    public NamesInUse Names { get; internal init; } = NamesInUse.None;

    /// <summary>The names of all session tables that are in use.</summary>
    internal IEnumerable<string> Zones => Upstreams.Values.Select(known => known.Plan?.Zone).OfType<string>();

    public ResourceSet Resources { get; init; } = ResourceSet.Empty;

    /// <summary>Null: nothing was compiled yet.</summary>
    internal AffinityKeys? Keys { get; init; }

    /// <summary>What was changed at run time as this compile took it.</summary>
    public PeerOverrides Overrides { get; internal init; } = PeerOverrides.Empty;

    internal AddressBook Addresses { get; init; } = AddressBook.Empty;

    internal ResourceMap<CompiledUpstream> Upstreams { get; init; } = ResourceMap<CompiledUpstream>.Empty;

    internal ResourceMap<IngressPlan> Ingresses { get; init; } = ResourceMap<IngressPlan>.Empty;

    /// <summary>Who depends on a resource or host name, whether it exists or not.</summary>
    internal ResourceMap<ImmutableHashSet<ResourceRef>> Users { get; init; } = ResourceMap<ImmutableHashSet<ResourceRef>>.Empty;

    internal ImmutableHashSet<ResourceRef> Elsewhere { get; init; } = [];

    /// <summary>Whose session zone another resource has already, and who that is.</summary>
    internal ImmutableDictionary<ResourceRef, ResourceRef> ZoneConflicts { get; init; } = ImmutableDictionary<ResourceRef, ResourceRef>.Empty;

    internal Places Places { get; init; } = Places.Empty;

    internal CertificateEnds CertificateEnds { get; init; } = CertificateEnds.None;

    /// <summary>When the next certificate in use ends, which makes another compile due; null: none will.</summary>
    public DateTimeOffset? NextExpiry => CertificateEnds.Next;
}

/// <summary>A host and path, where they lead, and the resource that says so.</summary>
public sealed record PlacedRoute(HostPattern Host, PathPattern Path, Route Route, ResourceRef Owner);

/// <summary>An upstream that is new (no former), gone (no current) or replaced.</summary>
public sealed record UpstreamChange(Upstream? Former, Upstream? Current)
{
    /// <summary>The session table that it had and has not any more; null: none.</summary>
    internal string? LeftZone { get; init; }
}

/// <summary>A StickyUpstream, written or made for an Ingress backend, and what it came to.</summary>
internal sealed record CompiledUpstream
{
    /// <summary>What the resources say now; null: it cannot be read, and what it last was serves.</summary>
    public required StickyUpstream? Written { get; init; }

    /// <summary>What serves; null: it never was good.</summary>
    public required UpstreamPlan? Plan { get; init; }

    public required Upstream? Upstream { get; init; }

    /// <summary>Why what is written does not serve; empty: it does.</summary>
    public required ImmutableArray<Diagnostic> Refusals { get; init; }

    /// <summary>What was found when its servers were turned into peers.</summary>
    public required ImmutableArray<Diagnostic> PeerDiagnostics { get; init; }

    public required ImmutableArray<ResourceRef> Uses { get; init; }

    public ImmutableArray<NameQuery> FollowedNames { get; init; } = [];

    /// <summary>Serves as written.</summary>
    public bool Programmed => Upstream is not null && Written is not null && Refusals.IsEmpty;
}
