using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Sources;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Compilation;

/// <summary>One compile under way: what it works from, what it has to do again, and what it has so far.</summary>
internal sealed class CompileRun
{
    public CompileRun(ResourceSet resources, AddressBook addresses, CompileResult previous, CompilerOptions options, DateTimeOffset now)
    {
        (Resources, Addresses, Previous, Options) = (resources, addresses, previous, options);
        Secrets = new(resources, now);
        Upstreams = previous.Upstreams.ToBuilder();
        Ingresses = previous.Ingresses.ToBuilder();
        Users = previous.Users.ToBuilder();
        Elsewhere = previous.Elsewhere.ToBuilder();
        ZoneConflicts = previous.ZoneConflicts;
        Changed = ChangePass.Between(previous, resources, addresses, now);
        OwnershipChanged = Changed.Any(changed => changed.Kind == IngressClass.KindName);
        Now = now;
        Unreadable = Errors(resources);
    }

    public ResourceSet Resources { get; }

    public AddressBook Addresses { get; }

    public CompileResult Previous { get; }

    public CompilerOptions Options { get; }

    /// <summary>By which certificates are judged.</summary>
    public DateTimeOffset Now { get; }

    /// <summary>The keys of opaque cookies, the same for the whole compile.</summary>
    public required AffinityKeys Keys { get; init; }

    /// <summary>What was changed at run time, the same for the whole compile.</summary>
    public required PeerOverrides Overrides { get; init; }

    public SecretReader Secrets { get; }

    /// <summary>The resources and host names that differ from the compile before.</summary>
    public IReadOnlySet<ResourceRef> Changed { get; }

    /// <summary>What must be done again. Grows while the passes find out what a change touches.</summary>
    public HashSet<ResourceRef> Dirty { get; } = [];

    /// <summary>The upstreams among them as they were and are now, in the order of resources.</summary>
    public IReadOnlyList<TouchedUpstream> Touched { get; set; } = [];

    /// <summary>Resources that the source could not read as they are now.</summary>
    public IReadOnlySet<ResourceRef> Unreadable { get; }

    public ResourceMap<CompiledUpstream>.Builder Upstreams { get; }

    public ResourceMap<IngressPlan>.Builder Ingresses { get; }

    public ResourceMap<ImmutableHashSet<ResourceRef>>.Builder Users { get; }

    public ImmutableHashSet<ResourceRef>.Builder Elsewhere { get; }

    public ImmutableDictionary<ResourceRef, ResourceRef> ZoneConflicts { get; set; }

    /// <summary>Upstreams made for the Service backends of Ingresses; null: no Ingress changed, so they are those of before.</summary>
    public Dictionary<ResourceRef, StickyUpstream>? Implicit { get; set; }

    /// <summary>The upstream of that name as it is written or made now; null: there is none, or it cannot be read.</summary>
    public StickyUpstream? Written(ResourceRef named)
    {
        if (!IngressPass.IsImplicit(named)) return Resources.Upstreams.GetValueOrDefault(named);

        return Implicit is { } made ? made.GetValueOrDefault(named) : Previous.Upstreams.GetValueOrDefault(named)?.Written;
    }

    /// <summary>Replaces what a resource depends on.</summary>
    public void SetUses(ResourceRef user, ImmutableArray<ResourceRef> former, ImmutableArray<ResourceRef> now)
    {
        if (former.SequenceEqual(now)) return;

        foreach (var used in former)
        {
            if (!Users.TryGetValue(used, out var users)) continue;

            var left = users.Remove(user);
            if (left.IsEmpty) Users.Remove(used);
            else Users[used] = left;
        }

        foreach (var used in now)
            Users[used] = Users.TryGetValue(used, out var users) ? users.Add(user) : [user];
    }

    /// <summary>A resource that stands in a second file is told so, but the first could be read.</summary>
    public static HashSet<ResourceRef> Errors(ResourceSet resources) =>
    [
        .. resources.Diagnostics
            .Where(found => found is { Severity: Severity.Error, Resource: not null, Reason: not Reasons.DuplicateResource })
            .Select(found => found.Resource!.Value),
    ];

    /// <summary>A class or an Ingress may make any resource ours or not ours.</summary>
    public bool OwnershipChanged { get; }
}

/// <summary>An upstream that a compile looks at.</summary>
/// <param name="former">What it was; null: there was none.</param>
internal sealed class TouchedUpstream(ResourceRef named, CompiledUpstream? former)
{
    public ResourceRef Named => named;

    public CompiledUpstream? Former => former;

    /// <summary>What it is; null: there is none any more.</summary>
    public CompiledUpstream? Now { get; set; }

    /// <summary>It serves as it did, or not at all as before.</summary>
    public bool IsSame => ReferenceEquals(Former?.Upstream, Now?.Upstream);
}
