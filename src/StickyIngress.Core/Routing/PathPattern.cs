using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Routing;

/// <summary>
/// Which paths an entry of the <see cref="RouteTable"/> is for; compared with the path as <see cref="RequestPath"/>
/// gives it, case-sensitively.
/// </summary>
public sealed record PathPattern
{
    private PathPattern(PathKind kind, string text, Regex? regex = null)
    {
        Kind = kind;
        Text = text;
        Regex = regex;
    }

    /// <summary>Every path: the prefix <c>/</c>.</summary>
    public static PathPattern Any { get; } = new(PathKind.Prefix, "");

    public PathKind Kind { get; }

    /// <summary>The path or pattern; a prefix without its trailing slash, so that <c>/</c> is empty.</summary>
    public string Text { get; }

    /// <summary>For <see cref="PathKind.Regex"/> alone.</summary>
    internal Regex? Regex { get; }

    /// <summary>Reads a path or pattern; false with a message for the person who wrote it.</summary>
    public static bool TryParse(
        PathKind kind, string text, [NotNullWhen(true)] out PathPattern? pattern, [NotNullWhen(false)] out string? error)
    {
        (pattern, error) = (null, null);
        if (kind == PathKind.Regex)
        {
            if (LinearRegex.TryCompile(text, out var regex, out error)) pattern = new(kind, text, regex);
            return pattern is not null;
        }

        if (!text.StartsWith('/'))
        {
            error = $"\"{text}\" does not begin with /";
            return false;
        }

        var path = RequestPath.ForMatching(text);
        pattern = new(kind, kind == PathKind.Prefix ? path.TrimEnd('/') : path);
        return true;
    }

    public bool Equals(PathPattern? other) => other is not null && Kind == other.Kind && Text == other.Text;

    public override int GetHashCode() => HashCode.Combine(Kind, Text);

    public override string ToString() => Kind == PathKind.Prefix && Text.Length == 0 ? "/" : Text;
}

public enum PathKind
{
    /// <summary>
    /// By whole segments: <c>/cart</c> is for <c>/cart</c>, <c>/cart/</c> and <c>/cart/x</c>, not for <c>/cartoon</c>.
    /// </summary>
    Prefix,

    Exact,

    /// <summary>Anywhere in the path unless the pattern is anchored, as nginx's <c>~</c>.</summary>
    Regex,
}
