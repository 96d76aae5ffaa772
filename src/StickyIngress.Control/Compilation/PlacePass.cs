using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Compilation;

/// <summary>
/// The snapshot out of the upstreams. Where only peers changed, one array is copied and everything else is the snapshot's before;
/// positions, routes and certificates are made anew where upstreams came or went or what they want changed.
/// </summary>
internal static class PlacePass
{
    public static Places Run(CompileRun run)
    {
        var former = run.Previous.Snapshot;
        var touched = run.Dirty.Where(dirty => dirty.Kind == StickyUpstream.KindName).ToArray();
        var replaced = touched.Where(named => Upstream(run.Previous.Upstreams, named) != Upstream(run.Upstreams, named)).ToArray();
        var moved = replaced.Any(named => Upstream(run.Previous.Upstreams, named) is null || Upstream(run.Upstreams, named) is null);
        var replanned = touched.Any(named => !ReferenceEquals(Plan(run.Previous.Upstreams, named), Plan(run.Upstreams, named)))
            || run.Dirty.Any(named => named.Kind == Api.Kubernetes.Ingress.KindName);
        if (replaced.Length == 0 && !replanned) return run.Previous.Places;

        var next = former with { Revision = former.Revision + 1 };
        next = moved ? Arrange(run, next) : next with { Upstreams = Swap(run, former, replaced) };
        if (!moved && !replanned) return run.Previous.Places with { Snapshot = next };

        var found = new Dictionary<ResourceRef, DiagnosticBag>();
        var (table, routes) = new ConflictPass(run, next.Positions, found).Run();
        next = next with { Routes = table, Certificates = new CertificatePass(run, found).Table() };
        return new(next, routes, found.ToImmutableDictionary(entry => entry.Key, entry => entry.Value.ToImmutable()));
    }

    /// <summary>All upstreams by namespace and name, so that positions do not depend on what happened before.</summary>
    private static Snapshot Arrange(CompileRun run, Snapshot next)
    {
        var upstreams = run.Upstreams.Where(known => known.Value.Upstream is not null)
            .OrderBy(known => known.Key, ResourceOrder.Instance).Select(known => known.Value.Upstream!).ToImmutableArray();
        var positions = new Dictionary<UpstreamName, int>(upstreams.Length);
        for (var i = 0; i < upstreams.Length; i++) positions.Add(upstreams[i].Name, i);
        return next with { Upstreams = upstreams, Positions = positions.ToFrozenDictionary() };
    }

    private static ImmutableArray<Upstream> Swap(CompileRun run, Snapshot former, ResourceRef[] replaced)
    {
        if (replaced.Length == 0) return former.Upstreams;

        var upstreams = former.Upstreams.AsSpan().ToArray();
        foreach (var named in replaced)
        {
            var upstream = run.Upstreams[named].Upstream!;
            upstreams[former.Positions[upstream.Name]] = upstream;
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(upstreams);
    }

    private static Upstream? Upstream(IReadOnlyDictionary<ResourceRef, CompiledUpstream> upstreams, ResourceRef named) =>
        upstreams.TryGetValue(named, out var known) ? known.Upstream : null;

    private static UpstreamPlan? Plan(IReadOnlyDictionary<ResourceRef, CompiledUpstream> upstreams, ResourceRef named) =>
        upstreams.TryGetValue(named, out var known) ? known.Plan : null;
}

/// <summary>A snapshot, who has which place in it, and who wanted a place and did not get it.</summary>
internal sealed record Places(
    Snapshot Snapshot, ImmutableArray<PlacedRoute> Routes, ImmutableDictionary<ResourceRef, ImmutableArray<Diagnostic>> Diagnostics)
{
    public static Places Empty { get; } = new(Snapshot.Empty, [], ImmutableDictionary<ResourceRef, ImmutableArray<Diagnostic>>.Empty);
}
