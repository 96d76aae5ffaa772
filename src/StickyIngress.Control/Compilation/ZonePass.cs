using System.Collections.Immutable;
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
        var zones = run.Resources.Upstreams.Values
            .Where(upstream => upstream.Spec.Sticky?.Learn?.Zone is not null && !run.Elsewhere.Contains(upstream.Ref))
            .GroupBy(upstream => (upstream.Metadata.Namespace, upstream.Spec.Sticky!.Learn!.Zone!.Name));
        foreach (var zone in zones)
        {
            if (!zone.Skip(1).Any()) continue;

            var claimants = zone.Where(claimant => HasHad(run, claimant) || !isRefused(run, claimant)).Order(ResourceAge.Instance).ToArray();
            foreach (var newer in claimants.Skip(1)) conflicts.Add(newer.Ref, claimants[0].Ref);
        }

        var former = run.ZoneConflicts;
        run.ZoneConflicts = conflicts.ToImmutable();
        run.Dirty.UnionWith(former.Except(run.ZoneConflicts).Select(conflict => conflict.Key));
        run.Dirty.UnionWith(run.ZoneConflicts.Except(former).Select(conflict => conflict.Key));
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
