using System.Text;

namespace StickyIngress.Core.Cookies;

/// <summary>
/// Cookies as nginx reads them: headers are split at semicolons and nowhere else, names compare in any case, spaces
/// around the equals sign are skipped, and values stand as they came, undecoded and unquoted.
/// </summary>
public static class CookieHeader
{
    /// <summary>
    /// The value of the first cookie with that name in one Cookie header; may be empty. False where it has none.
    /// </summary>
    public static bool TryFind(ReadOnlySpan<char> header, string name, out ReadOnlySpan<char> value)
    {
        while (true)
        {
            var end = header.IndexOf(';');
            if (TryRead(end < 0 ? header : header[..end], name, out value)) return true;
            if (end < 0) return false;

            header = header[(end + 1)..].TrimStart(' ');
        }
    }

    /// <summary>
    /// The value that a Set-Cookie header gives the cookie of that name: only its first pair is looked at, as for
    /// <c>$upstream_cookie_NAME</c>. False where it is for another cookie.
    /// </summary>
    public static bool TryReadSetCookie(ReadOnlySpan<char> header, string name, out ReadOnlySpan<char> value) =>
        TryRead(header.IndexOf(';') is >= 0 and var end ? header[..end] : header, name, out value);

    /// <summary>
    /// The Cookie header without all cookies of those names; the same string where it has none of them, null where
    /// nothing is left.
    /// </summary>
    public static string? Without(string header, ReadOnlySpan<string> names)
    {
        var span = header.AsSpan();
        StringBuilder? kept = null;
        foreach (var range in span.Split(';'))
        {
            var pair = span[range];
            if (!IsNamed(pair, names))
            {
                Append(kept, pair);
                continue;
            }

            if (kept is not null) continue;

            kept = new(header.Length);
            Append(kept, header.AsSpan(0, range.Start.Value).TrimEnd("; "));
        }

        if (kept is null) return header;
        return kept.Length == 0 ? null : kept.ToString();
    }

    private static void Append(StringBuilder? kept, ReadOnlySpan<char> pair)
    {
        pair = pair.TrimStart(' ');
        if (kept is null || pair.IsEmpty) return;
        if (kept.Length > 0) kept.Append("; ");
        kept.Append(pair);
    }

    private static bool IsNamed(ReadOnlySpan<char> pair, ReadOnlySpan<string> names)
    {
        pair = pair.TrimStart(' ');
        foreach (var name in names)
            if (TryRead(pair, name, out _)) return true;

        return false;
    }

    private static bool TryRead(ReadOnlySpan<char> pair, string name, out ReadOnlySpan<char> value)
    {
        value = default;
        if (pair.Length <= name.Length || !Ascii.EqualsIgnoreCase(pair[..name.Length], name)) return false;

        var rest = pair[name.Length..].TrimStart(' ');
        if (rest is not ['=', ..]) return false;

        value = rest[1..].TrimStart(' ');
        return true;
    }
}
