namespace StickyIngress.Proxy.Variables;

/// <summary>Reads the query of a request target as nginx does: undecoded, names in any case, the first of several wins.</summary>
internal static class QueryText
{
    public static ReadOnlySpan<char> All(string target)
    {
        var mark = target.IndexOf('?');
        return mark < 0 ? default : target.AsSpan(mark + 1);
    }

    public static string? Argument(string target, string name)
    {
        var rest = All(target);
        while (rest.Length > 0)
        {
            var end = rest.IndexOf('&');
            var pair = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (pair.Length > name.Length && pair[name.Length] == '=' && pair.StartsWith(name, StringComparison.OrdinalIgnoreCase))
                return pair[(name.Length + 1)..].ToString();
        }

        return null;
    }
}
