using System.Text.RegularExpressions;

namespace StickyIngress.Import;

/// <summary>Patterns as PCRE has them, in the dialect that is used here.</summary>
internal static partial class NginxPattern
{
    public static string Translate(string pattern) => pattern.Replace("(?P<", "(?<", StringComparison.Ordinal);

    /// <summary>The groups that the pattern names, in lower case, as variables are.</summary>
    public static IEnumerable<string> CaptureNames(string pattern) =>
        Named().Matches(pattern).Select(match => match.Groups["name"].Value.ToLowerInvariant());

    [GeneratedRegex(@"\(\?P?[<'](?<name>[A-Za-z_][A-Za-z0-9_]*)[>']", RegexOptions.NonBacktracking)]
    private static partial Regex Named();
}
