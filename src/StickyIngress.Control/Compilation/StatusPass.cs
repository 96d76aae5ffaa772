using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Sources;
using StickyIngress.Control.Status;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Compilation;

/// <summary>What is to be told about each resource that the compile touched, and which of it is new.</summary>
internal static class StatusPass
{
    public const string FileKind = "File";

    public static (ResourceMap<ResourceStatus> All, ImmutableArray<ResourceStatus> Changed) Run(
        CompileRun run, ImmutableDictionary<ResourceRef, ImmutableArray<Diagnostic>> places)
    {
        var reading = run.Resources.Diagnostics.ToLookup(Subject);
        var all = run.Previous.Statuses.ToBuilder();
        var changed = ImmutableArray.CreateBuilder<ResourceStatus>();
        foreach (var named in Affected(run, places, reading))
        {
            var former = all.GetValueOrDefault(named);
            var now = Status(run, named, reading[named], places.GetValueOrDefault(named, []));
            if (now is null)
            {
                all.Remove(named);
                if (former is not null) changed.Add(former with { Diagnostics = [], Programmed = false, Peers = null, Gone = true });
            }
            else if (former is null || !Same(former, now))
            {
                all[named] = now;
                changed.Add(now);
            }
        }

        changed.Sort(static (one, other) => ResourceOrder.Instance.Compare(one.Resource, other.Resource));
        return (all.ToImmutable(), changed.ToImmutable());
    }

    private static HashSet<ResourceRef> Affected(
        CompileRun run, ImmutableDictionary<ResourceRef, ImmutableArray<Diagnostic>> places, ILookup<ResourceRef, Diagnostic> reading)
    {
        var affected = new HashSet<ResourceRef>(run.Dirty);
        affected.RemoveWhere(IngressPass.IsImplicit);
        if (places != run.Previous.Places.Diagnostics)
        {
            affected.UnionWith(places.Keys);
            affected.UnionWith(run.Previous.Places.Diagnostics.Keys);
        }

        if (run.Resources.Diagnostics != run.Previous.Resources.Diagnostics)
        {
            affected.UnionWith(reading.Select(subject => subject.Key));
            affected.UnionWith(run.Previous.Resources.Diagnostics.Select(Subject));
        }

        return affected;
    }

    /// <summary>Null: there is nothing to say about it any more.</summary>
    private static ResourceStatus? Status(CompileRun run, ResourceRef named, IEnumerable<Diagnostic> reading, ImmutableArray<Diagnostic> places)
    {
        List<Diagnostic> found = [.. reading, .. places];
        if (named.Kind == StickyUpstream.KindName && run.Upstreams.TryGetValue(named, out var known))
        {
            found.AddRange(known.Refusals.AsSpan());
            if (known.Plan is { } plan) found.AddRange(plan.Diagnostics.AsSpan());
            found.AddRange(known.PeerDiagnostics.AsSpan());
            return new(
                named, known.Written?.Metadata.Generation ?? known.Plan?.Source.Metadata.Generation ?? 0, Sorted(found),
                known.Programmed && !run.Unreadable.Contains(named), known.Upstream is { } upstream ? Count(upstream) : null);
        }

        if (named.Kind == Ingress.KindName && run.Ingresses.TryGetValue(named, out var ingress))
            return new(named, ingress.Source.Metadata.Generation, Sorted([.. found, .. ingress.Diagnostics]), Programmed: true, null);

        return found.Count == 0 ? null : new(named, 0, Sorted(found), Programmed: false, null);
    }

    private static ResourceRef Subject(Diagnostic found) => found.Resource ?? new(FileKind, "", found.File ?? "");

    private static ImmutableArray<Diagnostic> Sorted(List<Diagnostic> diagnostics) =>
        diagnostics.Count == 0 ? [] : [.. diagnostics.Order(DiagnosticOrder.Instance)];

    private static bool Same(ResourceStatus one, ResourceStatus other) =>
        one.Generation == other.Generation && one.Programmed == other.Programmed && one.Peers == other.Peers
        && one.Diagnostics.SequenceEqual(other.Diagnostics);

    private static PeersStatus Count(Upstream upstream)
    {
        var (available, draining, down) = (0, 0, 0);
        foreach (var group in (ReadOnlySpan<PeerGroup>)[upstream.Primaries, upstream.Backups])
        {
            foreach (var peer in group.Peers)
            {
                if (peer.Down) down++;
                else if (peer.Draining) draining++;
                else available++;
            }
        }

        return new() { Total = available + draining + down, Available = available, Draining = draining, Unavailable = down };
    }
}
