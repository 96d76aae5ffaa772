using StickyIngress.Core.Routing;

namespace StickyIngress.Import;

/// <summary>The hosts of a <c>server</c> block.</summary>
internal static class HostsImport
{
    /// <summary>As many as one route of the resource takes.</summary>
    private const int HostsPerRoute = 64;

    /// <summary>The lists of hosts, one for each route; an empty list stands for any host. None: the server has names, and none can be said.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Read(NginxDirective server, Scope scope, bool isFirst, ImportFindings findings)
    {
        var hosts = new List<string>();
        var named = false;
        foreach (var line in scope.Own("server_name"))
        {
            foreach (var name in line.Arguments.Where(name => name is not ("" or "_")))
            {
                named = true;
                hosts.AddRange(Patterns(name, line, findings));
            }
        }

        var lists = hosts.Distinct(StringComparer.OrdinalIgnoreCase).Chunk(HostsPerRoute).Select(chunk => (IReadOnlyList<string>)chunk).ToList();
        var isDefault = scope.Own("listen").Any(line => line.Arguments.Contains("default_server") || line.Arguments.Contains("default"));
        if (isDefault || !named) lists.Add([]);
        else if (isFirst) findings.Warn(server, "nginx serves hosts that no server_name names with its first server; here they are answered 404");
        return lists;
    }

    private static IEnumerable<string> Patterns(string name, NginxDirective line, ImportFindings findings)
    {
        if (name.StartsWith('~') || name.EndsWith(".*", StringComparison.Ordinal))
        {
            findings.NoCounterpart(line, $"\"{name}\": hosts are exact or begin with *.");
            return [];
        }

        var (host, pattern) = name.StartsWith('.') ? (name[1..], $"*{name}") : (name, name);
        if (HostPattern.TryParse(pattern, out _, out var error)) return host == pattern ? [host] : [host, pattern];

        findings.NoCounterpart(line, error);
        return [];
    }
}
