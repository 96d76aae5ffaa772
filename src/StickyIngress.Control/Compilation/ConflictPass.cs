using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core.Routing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Control.Compilation;

/// <summary>Who gets a host and path: the older of two resources. The newer is told, and its other routes serve.</summary>
internal sealed class ConflictPass(
    CompileRun run, IReadOnlyDictionary<UpstreamName, int> positions, Dictionary<ResourceRef, DiagnosticBag> found)
{
    private readonly RouteTableBuilder _table = new();
    private readonly Dictionary<(HostPattern, PathPattern), PlacedRoute> _placed = [];

    /// <param name="claimants">The oldest first.</param>
    public (RouteTable Table, ImmutableArray<PlacedRoute> Routes) Run(List<IClaimant> claimants)
    {
        Place(claimants, fallback: false);
        Place(claimants, fallback: true);
        return (_table.Build(), [.. _placed.Values]);
    }

    private void Place(List<IClaimant> claimants, bool fallback)
    {
        foreach (var claimant in claimants)
        {
            foreach (var claim in claimant.Routes)
            {
                if (claim.Fallback == fallback) Place(claimant.Source, claim);
            }
        }
    }

    private void Place(Resource resource, RouteClaim claim)
    {
        if (_placed.TryGetValue((claim.Host, claim.Path), out var taken))
        {
            if (!claim.Fallback) Tell(resource, claim, taken.Owner);
            return;
        }

        var placed = new PlacedRoute(claim.Host, claim.Path, Route(claim), resource.Ref);
        _placed.Add((claim.Host, claim.Path), placed);
        _table.TryAdd(placed.Host, placed.Path, placed.Route);
    }

    private void Tell(Resource resource, RouteClaim claim, ResourceRef owner)
    {
        if (!found.TryGetValue(resource.Ref, out var bag)) found.Add(resource.Ref, bag = new(resource.Ref, resource.File));

        if (owner == resource.Ref)
            bag.Warn(Reasons.DuplicateRoute, claim.Field, $"{claim.Host} with path {claim.Path} stands here twice; the first counts");
        else
            bag.Error(Reasons.Conflicted, claim.Field, $"{claim.Host} with path {claim.Path} belongs to {owner}, which came first");
    }

    private Route Route(RouteClaim claim)
    {
        if (claim.Target is not { } target || !positions.TryGetValue(target, out var position))
            return new(-1, claim.Proxy ?? Nothing, claim.Https);

        var proxy = claim.Proxy ?? run.Upstreams[new(StickyUpstream.KindName, target.Namespace, target.Name)].Plan!.Proxy;
        return new(position, proxy, claim.Https);
    }

    /// <summary>For a route that leads nowhere; nothing of it is ever read but that it is there.</summary>
    private static ProxySettings Nothing { get; } = new()
    {
        Host = Template.Empty,
        ConnectTimeout = Defaults.ConnectTimeout,
        SendTimeout = Defaults.SendTimeout,
        ReadTimeout = Defaults.ReadTimeout,
        MaxBodySize = Defaults.MaxBodySize,
        RequestBuffer = 0,
        NextUpstream = new(NextUpstreamOn.None, 0, TimeSpan.Zero),
        Keepalive = new(0, 0, TimeSpan.Zero, TimeSpan.Zero),
    };
}
