namespace StickyIngress.Core.Routing;

/// <summary>
/// Host and path to route: exact host, then the longest wildcard, then any host; within a host exact path, regex,
/// longest prefix. The host that matches decides: where it has no route for the path there is none, whatever a less
/// specific host has, as in nginx.
/// </summary>
/*
 * A lookup is one probe of a hash table for an exact host; for a wildcard one more for each label, from the longest
 * suffix that any wildcard has; then the same for the path's segments. So it depends on the lengths of host and path
 * and not on how many routes there are.
 */
public sealed class RouteTable
{
    private readonly Dictionary<string, PathTable> _hosts;
    private readonly Dictionary<string, Wildcard> _wildcards;
    private readonly PathTable? _anyHost;
    private readonly int _longestWildcard;

    internal RouteTable(Dictionary<string, PathTable> hosts, Dictionary<string, Wildcard> wildcards, PathTable? anyHost)
    {
        (_hosts, _wildcards, _anyHost) = (hosts, wildcards, anyHost);
        foreach (var name in wildcards.Keys) _longestWildcard = Math.Max(_longestWildcard, name.Length);
    }

    public static RouteTable Empty { get; } = new([], [], null);

    /// <summary>The route for a request; null: there is none. Allocates nothing.</summary>
    /// <param name="host">As <see cref="RequestHost"/> gives it.</param>
    /// <param name="path">As <see cref="RequestPath"/> gives it.</param>
    public Route? Match(ReadOnlySpan<char> host, string path) => PathsOf(host)?.Match(path);

    private PathTable? PathsOf(ReadOnlySpan<char> host)
    {
        if (_hosts.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(host, out var exact)) return exact;
        if (_longestWildcard == 0) return _anyHost;

        var wildcards = _wildcards.GetAlternateLookup<ReadOnlySpan<char>>();
        var oneLabel = true;
        for (var dot = host.IndexOf('.'); dot >= 0; dot = host.IndexOf('.'))
        {
            host = host[(dot + 1)..];
            if (host.Length <= _longestWildcard && wildcards.TryGetValue(host, out var found))
            {
                var paths = oneLabel ? found.OneLabel : found.MoreLabels;
                if (paths is not null) return paths;
            }

            oneLabel = false;
        }

        return _anyHost;
    }
}

/// <summary>The routes of <c>*.name</c>: those for one label in front of it, and those for more; null: none.</summary>
internal sealed record Wildcard(PathTable OneLabel, PathTable? MoreLabels);
