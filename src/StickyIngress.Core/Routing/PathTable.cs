using System.Text.RegularExpressions;

namespace StickyIngress.Core.Routing;

/// <summary>The routes of one host by path; of equal patterns the first holds.</summary>
internal sealed class PathTable
{
    private readonly Dictionary<string, Route>? _exact;
    private readonly (Regex Pattern, Route Route)[] _patterns;
    private readonly Dictionary<string, Route>? _prefixes;
    private readonly int _longestPrefix;
    private readonly Route? _everything;

    public PathTable(List<PathRoute> routes)
    {
        List<PathRoute>? patterns = null;
        foreach (var entry in routes)
        {
            var text = entry.Path.Text;
            if (entry.Path.Kind == PathKind.Regex)
            {
                (patterns ??= []).Add(entry);
            }
            else if (entry.Path.Kind == PathKind.Exact)
            {
                (_exact ??= new(1)).TryAdd(text, entry.Route);
            }
            else if (text.Length == 0)
            {
                _everything ??= entry.Route;
            }
            else
            {
                (_prefixes ??= new(1)).TryAdd(text, entry.Route);
                _longestPrefix = Math.Max(_longestPrefix, text.Length);
            }
        }

        _patterns = patterns is null ? [] :
        [
            .. patterns.DistinctBy(entry => entry.Path)
                .OrderByDescending(entry => entry.Path.Text.Length).ThenBy(entry => entry.Path.Text, StringComparer.Ordinal)
                .Select(entry => (entry.Path.Regex!, entry.Route)),
        ];
    }

    public Route? Match(string path)
    {
        if (_exact is not null && _exact.TryGetValue(path, out var exact)) return exact;

        foreach (var (pattern, route) in _patterns)
            if (pattern.IsMatch(path)) return route;

        return _prefixes is null ? _everything : LongestPrefix(_prefixes.GetAlternateLookup<ReadOnlySpan<char>>(), path) ?? _everything;
    }

    /// <summary>Asks for the whole path, then for what stands before its last slash, and so on.</summary>
    private Route? LongestPrefix(Dictionary<string, Route>.AlternateLookup<ReadOnlySpan<char>> prefixes, ReadOnlySpan<char> path)
    {
        if (path.Length > _longestPrefix) path = path[..Math.Max(0, path[..(_longestPrefix + 1)].LastIndexOf('/'))];

        while (!path.IsEmpty)
        {
            if (prefixes.TryGetValue(path, out var route)) return route;

            path = path[..Math.Max(0, path.LastIndexOf('/'))];
        }

        return null;
    }
}
