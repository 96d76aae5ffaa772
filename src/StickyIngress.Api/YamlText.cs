using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using StickyIngress.Api.Reading;

namespace StickyIngress.Api;

/// <summary>Writes YAML in block style, so that readers of YAML 1.1 and 1.2 see the same: what either could take for anything but a string is quoted.</summary>
internal static partial class YamlText
{
    public static string Write(YamlMap root)
    {
        var text = new StringBuilder();
        WriteMap(text, root, "", first: "");
        return text.ToString();
    }

    private static void WriteMap(StringBuilder text, YamlMap map, string indent, string first)
    {
        var lead = first;
        foreach (var (key, value) in map)
        {
            text.Append(lead).Append(Quote(key)).Append(':');
            lead = indent;
            switch (value)
            {
                case YamlMap { Count: > 0 } inner:
                    text.Append('\n');
                    WriteMap(text, inner, indent + "  ", indent + "  ");
                    break;
                case IReadOnlyList<object> { Count: > 0 } list:
                    text.Append('\n');
                    WriteList(text, list, indent);
                    break;
                default:
                    text.Append(' ').Append(ScalarOf(value)).Append('\n');
                    break;
            }
        }
    }

    private static void WriteList(StringBuilder text, IReadOnlyList<object> list, string indent)
    {
        foreach (var item in list)
        {
            if (item is YamlMap { Count: > 0 } map) WriteMap(text, map, indent + "  ", indent + "- ");
            else text.Append(indent).Append("- ").Append(ScalarOf(item)).Append('\n');
        }
    }

    private static string ScalarOf(object value) => value switch
    {
        string text => Quote(text),
        bool flag => flag ? "true" : "false",
        YamlMap => "{}",
        IReadOnlyList<object> => "[]",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Quote(string text)
    {
        if (Plain().IsMatch(text) && !EndsPlain(text) && Scalars.Resolve(text) == ScalarKind.Text) return text;
        if (text.All(c => c is >= ' ' and <= '~')) return $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

        var quoted = new StringBuilder("\"");
        foreach (var rune in text.EnumerateRunes())
        {
            quoted.Append(rune.Value switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                >= ' ' and <= '~' => ((char)rune.Value).ToString(),
                <= 0xFFFF => $"\\u{rune.Value:X4}",
                _ => $"\\U{rune.Value:X8}",
            });
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>Whether something in it would end a plain scalar.</summary>
    private static bool EndsPlain(string text) => text[^1] is ' ' or ':' || text.Contains(": ", StringComparison.Ordinal);

    // Letters and what is harmless between them; or a time or size such as 1h30m.
    [GeneratedRegex(@"^(?:[A-Za-z/_$][A-Za-z0-9 ,.:;_/$()'*+=<>|~!%&-]*|(?:[0-9]+(?:ms|[wdhmsgk]))+)\z", RegexOptions.NonBacktracking)]
    private static partial Regex Plain();
}

/// <summary>A map to be written, in the order in which it was filled. Values: strings, numbers, booleans, lists and maps.</summary>
internal sealed class YamlMap : IEnumerable<KeyValuePair<string, object>>
{
    private readonly List<KeyValuePair<string, object>> _entries = [];

    public int Count => _entries.Count;

    public static YamlMap Of(IEnumerable<KeyValuePair<string, string>> entries)
    {
        var map = new YamlMap();
        foreach (var (key, value) in entries) map.Add(key, value);
        return map;
    }

    public void Add(string key, object value) => _entries.Add(new(key, value));

    public IEnumerator<KeyValuePair<string, object>> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
