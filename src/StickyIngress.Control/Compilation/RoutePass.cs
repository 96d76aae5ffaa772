using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core.Routing;

namespace StickyIngress.Control.Compilation;

/// <summary>The hosts and paths that the spec wants. Whether it gets them is for <see cref="ConflictPass"/> to say.</summary>
internal static class RoutePass
{
    private static readonly IReadOnlyList<PathSpec> AnyPath = [new() { Path = "/", PathType = PathType.Prefix }];

    public static void Run(PlanDraft draft)
    {
        for (var i = 0; i < draft.Spec.Routes.Count; i++) Add(draft, draft.Spec.Routes[i], $"spec.routes[{i}]");
    }

    private static void Add(PlanDraft draft, RouteSpec route, string field)
    {
        var proxy = route.Proxy is { } own ? ProxyPass.ForRoute(draft, own, $"{field}.proxy") : null;
        var paths = Paths(draft, route, field);
        foreach (var (host, hostField) in Hosts(draft, route, field))
        {
            foreach (var (path, pathField) in paths)
                draft.Routes.Add(new(host, path, draft.Name, proxy, Https(draft, host), route.Paths.Count > 0 ? pathField : hostField));
        }
    }

    private static IEnumerable<(HostPattern, string)> Hosts(PlanDraft draft, RouteSpec route, string field)
    {
        if (route.Hosts.Count == 0) yield return (HostPattern.Any, field);

        for (var i = 0; i < route.Hosts.Count; i++)
        {
            if (HostPattern.TryParse(route.Hosts[i], out var host, out var error)) yield return (host, $"{field}.hosts[{i}]");
            else draft.Found.Refuse(Reasons.InvalidHost, $"{field}.hosts[{i}]", error);
        }
    }

    private static List<(PathPattern, string)> Paths(PlanDraft draft, RouteSpec route, string field)
    {
        var patterns = new List<(PathPattern, string)>(1);
        var paths = route.Paths.Count > 0 ? route.Paths : AnyPath;
        for (var i = 0; i < paths.Count; i++)
        {
            var kind = paths[i].PathType switch
            {
                PathType.Exact => PathKind.Exact,
                PathType.Regex => PathKind.Regex,
                _ => PathKind.Prefix,
            };
            if (kind != PathKind.Regex) WarnOfEncoding(draft.Found, paths[i].Path, $"{field}.paths[{i}].path");
            if (PathPattern.TryParse(kind, paths[i].Path, out var path, out var error)) patterns.Add((path, $"{field}.paths[{i}]"));
            else draft.Found.Refuse(kind == PathKind.Regex ? Reasons.InvalidPattern : Reasons.InvalidPath, $"{field}.paths[{i}].path", error);
        }

        return patterns;
    }

    /// <summary>Paths are compared decoded and without the query, which whoever writes these characters is likely not to have meant.</summary>
    public static void WarnOfEncoding(DiagnosticBag found, string path, string field)
    {
        if (path.AsSpan().IndexOfAny("?#%") is >= 0 and var at)
        {
            found.Warn(Reasons.NoEffect, field,
                $"\"{path}\" has a {path[at]}; paths are compared decoded and without query, so only a request with it encoded as %{(int)path[at]:X2} matches");
        }
    }

    /// <summary>Whether https is demanded for the route's host, or for some of its hosts.</summary>
    private static HttpsHosts? Https(PlanDraft draft, HostPattern host)
    {
        if (draft.RedirectedHosts.Count == 0) return null;
        if (draft.RedirectedHosts.Exists(redirected => redirected.Covers(host))) return HttpsHosts.All;

        var some = draft.RedirectedHosts.FindAll(host.Covers);
        return some.Count > 0 ? new(some) : null;
    }
}
