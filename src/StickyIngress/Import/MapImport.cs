using System.Globalization;
using System.Text.RegularExpressions;
using StickyIngress.Api;
using StickyIngress.Core.Variables;

namespace StickyIngress.Import;

/// <summary>
/// A <c>map</c> block as definitions in the order in which nginx asks: plain texts, wildcards of <c>hostnames</c> from the longest, patterns as
/// written, and the default.
/// </summary>
/// <param name="translate">Puts a text into our words; given the captures that it may use.</param>
internal sealed class MapImport(
    ImportFindings findings, Func<string, NginxDirective, IReadOnlyDictionary<string, string>?, string?> translate)
{
    private enum Rank
    {
        Text,
        WildcardBefore,
        WildcardBehind,
        Pattern,
        Default,
    }

    public IReadOnlyList<VariableSpec>? Read(string name, NginxDirective map)
    {
        var hostNames = map.Inside.Any(line => line is { Name: "hostnames", Arguments.IsEmpty: true });
        var entries = new List<(Rank Rank, int Length, string Match, NginxDirective Line)>();
        foreach (var line in map.Inside)
        {
            if (line.Arguments.IsEmpty && line.Name is "hostnames" or "volatile") continue;

            if (line.Arguments.Length != 1 || line.Block is not null)
            {
                findings.Error(line, "invalid number of the map parameters");
                return null;
            }

            var (rank, match) = Match(line.Name, hostNames);
            if (!LinearRegex.TryCompile(match, out _, out var error))
            {
                findings.NoCounterpart(line, error);
                return null;
            }

            entries.Add((rank, rank is Rank.WildcardBefore or Rank.WildcardBehind ? line.Name.Length : 0, match, line));
        }

        return Specs(name, map, entries.OrderBy(entry => entry.Rank).ThenByDescending(entry => entry.Length));
    }

    private List<VariableSpec>? Specs(string name, NginxDirective map, IEnumerable<(Rank, int, string Match, NginxDirective Line)> entries)
    {
        var from = translate(map.First, map, null);
        var specs = new List<VariableSpec>();
        foreach (var (_, _, match, line) in entries)
        {
            var value = translate(line.First, line, Captures(match));
            if (from is null || value is null) return null;

            specs.Add(new() { Name = name, From = from, Match = match, Value = value });
        }

        return specs;
    }

    /// <summary>Plain texts match in any case, whole; a pattern begins with <c>~</c>, or <c>~*</c> for any case.</summary>
    private static (Rank Rank, string Match) Match(string key, bool hostNames) => key switch
    {
        "default" => (Rank.Default, "^"),
        ['~', '*', .. var pattern] => (Rank.Pattern, "(?i)" + NginxPattern.Translate(pattern)),
        ['~', .. var pattern] => (Rank.Pattern, NginxPattern.Translate(pattern)),
        ['*', '.', .. var host] when hostNames => (Rank.WildcardBefore, $"(?i)^.+\\.{Regex.Escape(host)}$"),
        ['.', .. var host] when hostNames => (Rank.WildcardBefore, $"(?i)^(?:.+\\.)?{Regex.Escape(host)}$"),
        [.. var host, '.', '*'] when hostNames => (Rank.WildcardBehind, $"(?i)^{Regex.Escape(host)}\\..+$"),
        ['\\', .. var text] => (Rank.Text, $"(?i)^{Regex.Escape(text)}$"),
        _ => (Rank.Text, $"(?i)^{Regex.Escape(key)}$"),
    };

    /// <summary>A capture stands for itself: our value is evaluated with the groups of its own pattern.</summary>
    private static Dictionary<string, string> Captures(string match)
    {
        var names = new Regex(match, RegexOptions.None, Regex.InfiniteMatchTimeout).GetGroupNames();

        // Numbers count named groups too in nginx and come after all others here, so that with both a number names nothing.
        var both = names.Skip(1).Any(name => char.IsAsciiDigit(name[0])) && names.Any(name => !char.IsAsciiDigit(name[0]));
        return names.Skip(1)
            .Where(name => !both || !char.IsAsciiDigit(name[0]))
            .Select((name, i) => (Name: name, Number: (i + 1).ToString(CultureInfo.InvariantCulture)))
            .SelectMany(group => both || group.Name == group.Number ? [(group.Name, group.Name)] : new[] { (group.Name, group.Name), (group.Number, group.Name) })
            .ToDictionary(pair => pair.Item1, pair => $"${{{pair.Item2}}}", StringComparer.Ordinal);
    }
}
