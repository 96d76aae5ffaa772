using StickyIngress.Api;
using StickyIngress.Core.Variables;

namespace StickyIngress.Import;

/// <summary>The path of a <c>location</c> block.</summary>
internal static class LocationImport
{
    /// <summary>Null where there is no counterpart or after an error.</summary>
    public static PathSpec? Read(NginxDirective location, bool serverHasPatterns, ImportFindings findings)
    {
        switch (location.Arguments.AsSpan())
        {
            case ["=", var path]:
                return new() { Path = path, PathType = PathType.Exact };
            case ["^~", var path]:
                if (serverHasPatterns) findings.Warn(location, "^~ goes before patterns in nginx; here patterns go before every prefix");
                return Prefix(location, path, findings);
            case ["~", var pattern]:
                return Pattern(location, NginxPattern.Translate(pattern), findings);
            case ["~*", var pattern]:
                return Pattern(location, "(?i)" + NginxPattern.Translate(pattern), findings);
            case [['@', ..]]:
                findings.NoCounterpart(location, "there are no named locations");
                return null;
            case [var path]:
                return Prefix(location, path, findings);
            default:
                findings.Error(location, "invalid number of arguments in \"location\" directive");
                return null;
        }
    }

    public static bool IsPattern(NginxDirective location) => location is { Name: "location", Arguments: ["~" or "~*", _] };

    private static PathSpec? Prefix(NginxDirective location, string path, ImportFindings findings)
    {
        if (!path.StartsWith('/'))
        {
            findings.NoCounterpart(location, "a path begins with /");
            return null;
        }

        if (!path.EndsWith('/')) findings.Warn(location, $"{path} is compared by whole segments: {path}x is not in it, as it is in nginx");
        return new() { Path = path, PathType = PathType.Prefix };
    }

    private static PathSpec? Pattern(NginxDirective location, string pattern, ImportFindings findings)
    {
        if (LinearRegex.TryCompile(pattern, out _, out var error)) return new() { Path = pattern, PathType = PathType.Regex };

        findings.NoCounterpart(location, error);
        return null;
    }
}
