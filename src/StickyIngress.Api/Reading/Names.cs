namespace StickyIngress.Api.Reading;

/// <summary>Kubernetes' rules for names, and the guess at what a misspelt one should have been.</summary>
public static class Names
{
    private static readonly AsciiSet LabelCharacters = new("abcdefghijklmnopqrstuvwxyz0123456789-");

    public static bool IsSubdomain(string name)
    {
        foreach (var part in name.AsSpan().Split('.'))
        {
            if (!IsLabelCharacters(name.AsSpan(part))) return false;
        }

        return name.Length <= 253;
    }

    public static bool IsLabel(string name) => name.Length <= 63 && IsLabelCharacters(name);

    /// <summary>The known name that differs by few letters; null where none is near.</summary>
    public static string? Nearest(string name, IEnumerable<string> known)
    {
        if (name.Length > 64) return null;

        var best = known.Select(k => (Name: k, Distance: Distance(name.ToUpperInvariant(), k.ToUpperInvariant()))).MinBy(k => k.Distance);
        return best.Distance <= Math.Max(1, name.Length / 3) ? best.Name : null;
    }

    private static bool IsLabelCharacters(ReadOnlySpan<char> part) =>
        part.Length > 0 && part[0] != '-' && part[^1] != '-' && LabelCharacters.HoldsAll(part);

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[^1];
    }
}
