namespace StickyIngress.Core.Routing;

/// <summary>Host and path to route: exact host, then the longest wildcard, then any host; within a host exact path, regex, longest prefix.</summary>
public sealed class RouteTable
{
    public static RouteTable Empty { get; } = new();
}
