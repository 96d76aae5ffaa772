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
        var replaced = run.Touched.Where(touched => !touched.IsSame).ToArray();
        var moved = replaced.Any(touched => touched.Former?.Upstream is null || touched.Now?.Upstream is null);
        var replanned = run.Touched.Any(touched => !ReferenceEquals(touched.Former?.Plan, touched.Now?.Plan))
            || run.Dirty.Any(named => named.Kind == Api.Kubernetes.Ingress.KindName);
        if (replaced.Length == 0 && !replanned) return run.Previous.Places;

        var next = former with { Revision = former.Revision + 1 };
        next = moved ? Arrange(run, next) : next with { Upstreams = Swap(former, replaced) };
        if (!moved && !replanned) return run.Previous.Places with { Snapshot = next };

        var found = new Dictionary<ResourceRef, DiagnosticBag>();
        var claimants = Claimants(run);
        var (table, routes) = new ConflictPass(run, next.Positions, found).Run(claimants);
        next = next with { Routes = table, Certificates = new CertificatePass(found).Table(claimants) };
        return new(next, routes, found.ToImmutableDictionary(entry => entry.Key, entry => entry.Value.ToImmutable()));
    }

    /// <summary>All upstreams by namespace and name, so that positions do not depend on what happened before.</summary>
    private static Snapshot Arrange(CompileRun run, Snapshot next)
    {
        var upstreams = new List<Upstream>(run.Upstreams.Count);
        foreach (var (_, known) in run.Upstreams)
        {
            if (known.Upstream is { } upstream) upstreams.Add(upstream);
        }

        upstreams.Sort(ByName);
        var positions = new Dictionary<UpstreamName, int>(upstreams.Count);
        for (var i = 0; i < upstreams.Count; i++) positions.Add(upstreams[i].Name, i);
        return next with { Upstreams = [.. upstreams], Positions = positions };
    }

    private static int ByName(Upstream one, Upstream other)
    {
        var order = string.CompareOrdinal(one.Name.Namespace, other.Name.Namespace);
        return order != 0 ? order : string.CompareOrdinal(one.Name.Name, other.Name.Name);
    }

    private static ImmutableArray<Upstream> Swap(Snapshot former, TouchedUpstream[] replaced)
    {
        if (replaced.Length == 0) return former.Upstreams;

        var upstreams = former.Upstreams.AsSpan().ToArray();
        foreach (var touched in replaced)
        {
            var upstream = touched.Now!.Upstream!;
            upstreams[former.Positions[upstream.Name]] = upstream;
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(upstreams);
    }

    /// <summary>Who wants a host, the oldest resource first.</summary>
    private static List<IClaimant> Claimants(CompileRun run)
    {
        var claimants = new List<IClaimant>(run.Upstreams.Count + run.Ingresses.Count);
        foreach (var (_, known) in run.Upstreams)
        {
            if (known.Plan is { } plan && !(plan.Routes.IsEmpty && plan.Certificates.IsEmpty)) claimants.Add(plan);
        }

        foreach (var (_, plan) in run.Ingresses) claimants.Add(plan);
        claimants.Sort(static (one, other) => ResourceAge.Instance.Compare(one.Source, other.Source));
        return claimants;
    }
}

/// <summary>A plan that may want hosts: their paths, or to show a certificate for them.</summary>
internal interface IClaimant
{
    Resource Source { get; }

    ImmutableArray<RouteClaim> Routes { get; }

    ImmutableArray<CertificateClaim> Certificates { get; }
}

/// <summary>A snapshot, who has which place in it, and who wanted a place and did not get it.</summary>
internal sealed record Places(
    Snapshot Snapshot, ImmutableArray<PlacedRoute> Routes, ImmutableDictionary<ResourceRef, ImmutableArray<Diagnostic>> Diagnostics)
{
    public static Places Empty { get; } = new(Snapshot.Empty, [], ImmutableDictionary<ResourceRef, ImmutableArray<Diagnostic>>.Empty);
}
