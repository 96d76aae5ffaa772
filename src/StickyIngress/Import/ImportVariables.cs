using System.Text;
using StickyIngress.Api;
using StickyIngress.Core.Variables;

namespace StickyIngress.Import;

/// <summary>Texts with nginx's variables, as ours. A map goes into the upstream that uses it.</summary>
internal sealed class ImportVariables(ImportFindings findings, IReadOnlyDictionary<string, NginxDirective> maps, IReadOnlySet<string> defined)
{
    private readonly Dictionary<string, IReadOnlyList<VariableSpec>?> _known = [];

    /// <summary>The text in our words; null where that cannot be done, which the findings say.</summary>
    /// <param name="used">Collects the definitions that the text needs.</param>
    /// <param name="literals">Variables whose value is known here, such as <c>proxy_host</c>.</param>
    public string? Translate(string text, NginxDirective at, UsedVariables used, IReadOnlyDictionary<string, string>? literals = null)
    {
        var translated = new StringBuilder();
        var whole = true;
        for (var i = 0; i < text.Length;)
        {
            if (text[i] != '$')
            {
                translated.Append(text[i++]);
                continue;
            }

            if (!TryReadName(text, ref i, out var name))
            {
                findings.Error(at, "invalid variable name");
                return null;
            }

            if (literals is not null && literals.TryGetValue(name, out var value)) translated.Append(value);
            else if (Find(name, at, used) is { } variable) translated.Append("${").Append(variable).Append('}');
            else whole = false;
        }

        return whole ? Shortest(translated.ToString()) : null;
    }

    /// <summary>Braces only where a name would run on into what follows.</summary>
    private static string Shortest(string text)
    {
        for (var open = text.IndexOf("${", StringComparison.Ordinal); open >= 0; open = text.IndexOf("${", open + 1, StringComparison.Ordinal))
        {
            var close = text.IndexOf('}', open);
            var runsOn = close + 1 < text.Length && (char.IsAsciiLetterOrDigit(text[close + 1]) || text[close + 1] == '_');
            if (!runsOn) text = text.Remove(close, 1).Remove(open + 1, 1);
        }

        return text;
    }

    private static bool TryReadName(string text, ref int at, out string name)
    {
        var braces = at + 1 < text.Length && text[at + 1] == '{';
        var start = at + (braces ? 2 : 1);
        var end = start;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '_')) end++;

        name = text[start..end];
        at = braces ? end + 1 : end;
        return name.Length > 0 && (!braces || (end < text.Length && text[end] == '}'));
    }

    /// <summary>Our name for the variable. nginx compares names without regard to case.</summary>
    private string? Find(string written, NginxDirective at, UsedVariables used)
    {
        var name = written.ToLowerInvariant();
        if (maps.TryGetValue(name, out var map)) return UseMap(name, map, at, used);
        if (NginxVariables.Aliases.TryGetValue(name, out var alias)) return alias;
        if (Variable.TryFind(name, out _) && !NginxVariables.OnlyOurs.Contains(name)) return name;

        if (name == "binary_remote_addr")
        {
            findings.Warn(at, "$binary_remote_addr becomes $remote_addr: the same clients stay together, but a hash of it picks other servers");
            return "remote_addr";
        }

        if (defined.Contains(name) || NginxVariables.IsKnown(name)) findings.NoCounterpart(at, $"${written} has no counterpart");
        else findings.Error(at, $"unknown \"{written}\" variable");
        return null;
    }

    private string? UseMap(string name, NginxDirective map, NginxDirective at, UsedVariables used)
    {
        if (Variable.TryFind(name, out _))
        {
            findings.NoCounterpart(map, $"${name} is built in");
            return null;
        }

        if (!_known.TryGetValue(name, out var specs))
        {
            // Until it is known it counts as unknown, so that a map by way of itself ends.
            _known[name] = null;
            var inner = new UsedVariables();
            var own = new MapImport(findings, (text, line, captures) => Translate(text, line, inner, captures)).Read(name, map);
            _known[name] = specs = own is null ? null : [.. inner.All, .. own];
        }

        if (specs is null)
        {
            findings.NoCounterpart(at, $"${name} has no counterpart");
            return null;
        }

        used.Add(specs);
        return name;
    }
}

/// <summary>The definitions of variables that one upstream needs.</summary>
internal sealed class UsedVariables
{
    private readonly List<VariableSpec> _all = [];
    private readonly HashSet<string> _names = [];

    public IReadOnlyList<VariableSpec> All => _all;

    /// <summary>Several definitions of one name come together.</summary>
    public void Add(IReadOnlyList<VariableSpec> specs)
    {
        foreach (var sameName in specs.GroupBy(spec => spec.Name))
            if (_names.Add(sameName.Key)) _all.AddRange(sameName);
    }
}
