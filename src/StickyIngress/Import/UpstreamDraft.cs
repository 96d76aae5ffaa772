using StickyIngress.Api;

namespace StickyIngress.Import;

/// <summary>A StickyUpstream that is being put together: the group first, then what the locations that lead to it say.</summary>
internal sealed class UpstreamDraft(string name, NginxDirective at)
{
    /// <summary>Name of the resource.</summary>
    public string Name => name;

    /// <summary>The upstream block, or the proxy_pass of an address.</summary>
    public NginxDirective At => at;

    public StickyUpstreamSpec Spec { get; set; } = new();

    public UsedVariables Variables { get; } = new();

    public List<LocationDraft> Locations { get; } = [];

    public List<TlsSpec> Tls { get; } = [];

    public StickyUpstream ToResource(string @namespace)
    {
        var shared = Locations.Select(location => location.Proxy).Aggregate((ProxySpec?)null, (all, one) => all is null ? one : ProxyParts.Common(all, one)) ?? new();
        return new()
        {
            Metadata = new() { Name = name, Namespace = @namespace },
            Spec = Spec with { Routes = [.. Routes(shared)], Tls = Tls, Variables = Variables.All, Proxy = shared },
        };
    }

    /// <summary>Paths of one server with equal settings stand in one route.</summary>
    private IEnumerable<RouteSpec> Routes(ProxySpec shared)
    {
        var groups = Locations.Where(location => location.Hosts.Count > 0)
            .GroupBy(location => (location.Server, Own: ProxyParts.Without(location.Proxy, shared)));
        foreach (var group in groups)
        {
            var route = new RouteSpec { Paths = [.. group.Select(location => location.Path)], Proxy = group.Key.Own == new ProxySpec() ? null : group.Key.Own };
            if (route.Paths is [{ Path: "/", PathType: PathType.Prefix }]) route = route with { Paths = [] };
            foreach (var hosts in group.First().Hosts) yield return route with { Hosts = hosts };
        }
    }
}

/// <summary>One location that leads to an upstream.</summary>
/// <param name="Server">The server block that it is in.</param>
/// <param name="Hosts">The lists of hosts, one for each route; an empty list stands for any host. None: no route can be made.</param>
/// <param name="Proxy">All settings in force there; what is absent has the default.</param>
internal sealed record LocationDraft(NginxDirective Server, IReadOnlyList<IReadOnlyList<string>> Hosts, PathSpec Path, ProxySpec Proxy);
