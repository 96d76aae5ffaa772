namespace StickyIngress.Tests.Chart;

/// <summary>The table of values, made from values.yaml: the comment above a value says what it is.</summary>
internal static class ChartDocs
{
    /// <summary>The text with the table put between its marks.</summary>
    public static string WithTable(string text)
    {
        const string begin = "<!-- values: made from values.yaml by make generate -->\n", end = "<!-- /values -->\n";
        var (from, to) = (text.IndexOf(begin, StringComparison.Ordinal) + begin.Length, text.IndexOf(end, StringComparison.Ordinal));
        return $"{text[..from]}\n{Table()}\n{text[to..]}";
    }

    private static string Table() =>
        "| Value | Default | Meaning |\n|---|---|---|\n" + string.Concat(Values().Select(value => $"| `{value.Path}` | `{value.Default}` | {value.Comment} |\n"));

    public static IEnumerable<(string Path, string Default, string Comment)> Values()
    {
        var (sections, comment) = (new List<string>(), "");
        foreach (var line in File.ReadLines(Path.Combine(Helm.Chart, "values.yaml")).Skip(1))
        {
            var text = line.TrimStart();
            if (text.StartsWith("# ", StringComparison.Ordinal))
            {
                comment = $"{comment} {text[2..]}".TrimStart();
                continue;
            }

            if (text.Split(": ", 2) is [var key, var value])
            {
                sections.RemoveRange((line.Length - text.Length) / 2, sections.Count - ((line.Length - text.Length) / 2));
                yield return (string.Join('.', [.. sections, key]), value, comment);
            }
            else if (text.EndsWith(':'))
            {
                sections.RemoveRange((line.Length - text.Length) / 2, sections.Count - ((line.Length - text.Length) / 2));
                sections.Add(text[..^1]);
            }

            comment = "";
        }
    }
}
