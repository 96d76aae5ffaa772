namespace StickyIngress.Core.Routing;

/// <summary>
/// The path that routes are compared with, which is nginx's <c>$uri</c>; what goes to the peer is the target as it
/// came.
/// </summary>
public static class RequestPath
{
    /// <summary>
    /// Merges slashes and resolves dot segments that the server left. The path was decoded by the server, once; a slash
    /// that it left encoded (<c>%2F</c>) separates nothing. Returns the same string where there is nothing to change;
    /// an empty path is <c>/</c>.
    /// </summary>
    public static string ForMatching(string path)
    {
        if (path.Length == 0) return "/";
        return IsNormal(path) ? path : Normalize(path);
    }

    private static bool IsNormal(ReadOnlySpan<char> path)
    {
        while (true)
        {
            var slash = path.IndexOf('/');
            if (slash < 0) return true;

            path = path[(slash + 1)..];
            if (path is ['/', ..] || IsDots(FirstSegment(path))) return false;
        }
    }

    private static string Normalize(string path)
    {
        var segments = new List<Range>();
        var rest = path.AsSpan();
        var dots = false;
        foreach (var range in rest.Split('/'))
        {
            var segment = rest[range];
            dots = IsDots(segment);
            if (segment is "..")
            {
                if (segments.Count > 0) segments.RemoveAt(segments.Count - 1);
            }
            else if (!segment.IsEmpty && !dots)
            {
                segments.Add(range);
            }
        }

        if (segments.Count == 0) return "/";

        var directory = dots || path.EndsWith('/');
        var text = string.Concat(segments.Select(range => $"/{path[range]}"));
        return directory ? text + "/" : text;
    }

    private static ReadOnlySpan<char> FirstSegment(ReadOnlySpan<char> path) =>
        path.IndexOf('/') is >= 0 and var end ? path[..end] : path;

    private static bool IsDots(ReadOnlySpan<char> segment) => segment is "." or "..";
}
