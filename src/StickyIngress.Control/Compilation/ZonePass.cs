using System.Collections.Immutable;
using System.Runtime.InteropServices;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Compilation;

/// <summary>The name of a session zone belongs to one resource of a namespace: the older, as with routes.</summary>
internal static class ZonePass
{
    /// <summary>Finds who has to yield, and makes those dirty for whom that changed.</summary>
    /// <param name="isRefused">Whether there is something else wrong with it, so that it has no sessions to name.</param>
    public static void Find(CompileRun run, Func<CompileRun, StickyUpstream, bool> isRefused)
    {
        if (!run.OwnershipChanged && !run.Changed.Any(changed => changed.Kind == StickyUpstream.KindName)) return;

        var conflicts = ImmutableDictionary.CreateBuilder<ResourceRef, ResourceRef>();
        foreach (var zone in NamedZones(run).Values)
        {
            if (zone.Count < 2) continue;

            var claimants = zone.Where(claimant => HasHad(run, claimant) || !isRefused(run, claimant)).Order(ResourceAge.Instance).ToArray();
            foreach (var newer in claimants.Skip(1)) conflicts.Add(newer.Ref, claimants[0].Ref);
        }

        var former = run.ZoneConflicts;
        run.ZoneConflicts = conflicts.ToImmutable();
        run.Dirty.UnionWith(former.Except(run.ZoneConflicts).Select(conflict => conflict.Key));
        run.Dirty.UnionWith(run.ZoneConflicts.Except(former).Select(conflict => conflict.Key));
    }

    /// <summary>The upstreams that name a zone, by its namespace and name.</summary>
    private static Dictionary<string, List<StickyUpstream>> NamedZones(CompileRun run)
    {
        var zones = new Dictionary<string, List<StickyUpstream>>();
        foreach (var (named, upstream) in run.Resources.Upstreams)
        {
            if (upstream.Spec.Sticky?.Learn?.Zone is not { } zone || run.Elsewhere.Contains(named)) continue;

            ref var sharing = ref CollectionsMarshal.GetValueRefOrAddDefault(zones, $"{named.Namespace}/{zone.Name}", out _);
            (sharing ??= []).Add(upstream);
        }

        return zones;
    }

    /// <summary>What serves of it names that zone, be its newer form refused or not.</summary>
    private static bool HasHad(CompileRun run, StickyUpstream claimant) =>
        run.Previous.Upstreams.GetValueOrDefault(claimant.Ref)?.Plan?.Source.Spec.Sticky?.Learn?.Zone?.Name == claimant.Spec.Sticky!.Learn!.Zone!.Name;

    public static void Run(PlanDraft draft)
    {
        if (draft.ZoneOwner is not { } owner) return;

        draft.Found.Refuse(Reasons.Conflicted, "spec.sticky.learn.zone.name",
            $"session zone \"{draft.Spec.Sticky?.Learn?.Zone?.Name}\" is already used by {owner}, which came first");
    }
}
