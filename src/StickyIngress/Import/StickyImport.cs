using System.Text.RegularExpressions;
using StickyIngress.Api;
using StickyIngress.Api.Schema;

namespace StickyIngress.Import;

/// <summary>
/// The <c>sticky</c> directive of an upstream block. A cookie is written as nginx issues it: the same value, with every response, seen by the
/// servers too, and with no attribute that was not asked for.
/// </summary>
internal sealed partial class StickyImport(ImportFindings findings, ImportVariables variables, UsedVariables used, NginxDirective line)
{
    private const long SmallestZone = 32 * 1024;

    /// <summary>Null after an error, and where there is no counterpart.</summary>
    public StickySpec? Read()
    {
        if (line.Name == "sticky_cookie_insert") return Cookie(line.Arguments);
        if (line.Arguments.Length < 2) return Refuse("invalid number of arguments in \"sticky\" directive");

        return line.First switch
        {
            "cookie" => Cookie(line.Arguments[1..]),
            "route" => Route(line.Arguments[1..]),
            "learn" => Learn(line.Arguments[1..]),
            _ => Refuse($"unknown parameter \"{line.First}\""),
        };
    }

    private StickySpec? Refuse(string message)
    {
        findings.Error(line, message);
        return null;
    }

    private StickySpec? Cookie(IReadOnlyList<string> words)
    {
        if (words.Count == 0) return Refuse("invalid number of arguments in \"sticky_cookie_insert\" directive");
        if (words[0].Length == 0) return Refuse("\"sticky\" directive empty cookie name");

        var cookie = new StickyCookieSpec
        {
            Name = words[0],
            Value = CookieValue.NginxSid,
            Issue = CookieIssue.Always,
            Hide = false,
            HttpOnly = false,
            Secure = CookieSecure.Never,
        };
        var seen = new HashSet<string>();
        foreach (var word in words.Skip(1))
        {
            var (name, value) = NginxValues.Parameter(word);
            if (Parameter(cookie, name, value) is not { } more) return null;
            if (!seen.Add(name)) return Refuse($"\"sticky\" directive parameter \"{name}\" is duplicate");

            cookie = more;
        }

        if (!CookieName().IsMatch(cookie.Name))
        {
            findings.NoCounterpart(line, $"\"{cookie.Name}\" is no name of a cookie by the standard");
            return null;
        }

        if (!seen.Contains("path")) findings.Warn(line, "the cookie gets path=/, where nginx sends no path and browsers take the request's folder");
        return new() { Cookie = Secured(cookie) };
    }

    /// <summary>Browsers throw a SameSite=None cookie away that is not Secure, and the resource refuses it.</summary>
    private StickyCookieSpec Secured(StickyCookieSpec cookie)
    {
        var needed = cookie.SameSite == "None" || cookie.Partitioned || cookie.Name.StartsWith("__", StringComparison.Ordinal);
        if (cookie.Secure != CookieSecure.Never || !needed) return cookie;

        findings.Warn(line, "the cookie gets secure with https, since browsers refuse it without");
        return cookie with { Secure = CookieSecure.Auto };
    }

    private StickyCookieSpec? Parameter(StickyCookieSpec cookie, string name, string? value)
    {
        switch (name, value)
        {
            case ("expires", "max"):
                return cookie with { Expires = CookieExpires.Max };
            case ("expires", not null) when NginxTime.TryParse(value, TimeUnit.Seconds, out var time):
                return cookie with { Expires = new(time) };
            case ("expires", not null):
                Refuse("\"sticky\" directive invalid \"expires\" parameter value");
                return null;
            case ("domain" or "path", ""):
                Refuse($"\"sticky\" directive no value for \"{name}\"");
                return null;
            case ("domain", not null):
                return cookie with { Domain = variables.Translate(value, line, used) };
            case ("path", not null):
                return cookie with { Path = value };
            case ("httponly", null):
                return cookie with { HttpOnly = true };
            case ("secure", null):
                return cookie with { Secure = CookieSecure.Always };
            case ("partitioned", null):
                return cookie with { Partitioned = true };
            case ("samesite", not null):
                return SameSite(cookie, value);
            default:
                Refuse($"unknown parameter \"{(value is null ? name : $"{name}={value}")}\"");
                return null;
        }
    }

    private StickyCookieSpec? SameSite(StickyCookieSpec cookie, string value)
    {
        if (!value.Contains('$', StringComparison.Ordinal))
        {
            var word = value.ToLowerInvariant() switch { "strict" => "Strict", "lax" => "Lax", "none" => "None", _ => null };
            if (word is null) Refuse("\"sticky\" directive invalid \"samesite\" parameter value");
            return word is null ? null : cookie with { SameSite = word };
        }

        var translated = variables.Translate(value, line, used);
        if (translated is null || OneVariable().IsMatch(translated)) return cookie with { SameSite = translated };

        findings.NoCounterpart(line, "samesite takes one variable and nothing else");
        return cookie;
    }

    private StickySpec? Route(IReadOnlyList<string> words) => Variables(words) is { } from ? new() { Route = new() { From = from } } : null;

    private List<string>? Variables(IReadOnlyList<string> words)
    {
        var all = new List<string>();
        foreach (var word in words)
        {
            if (!OneVariable().IsMatch(word))
            {
                Refuse($"invalid variable name \"{word}\"");
                return null;
            }

            if (variables.Translate(word, line, used) is { } variable) all.Add(variable);
        }

        return all.Count > 0 ? all : null;
    }

    private StickySpec? Learn(IReadOnlyList<string> words)
    {
        var (learn, create, lookup) = (new StickyLearnSpec(), new List<string>(), new List<string>());
        var timed = false;
        foreach (var word in words)
        {
            var (name, value) = NginxValues.Parameter(word);
            switch (name, value)
            {
                case ("create" or "lookup", not null) when value.StartsWith('$'):
                    (name == "create" ? create : lookup).Add(value);
                    continue;
                case ("create" or "lookup", not null):
                    return Refuse($"\"sticky\" directive missing variable in the \"{name}\" parameter");
                case ("zone", not null) when learn.Zone is not null:
                    return Refuse("\"sticky\" directive duplicate zone");
                case ("zone", not null):
                    if (Zone(value) is not { } zone) return null;
                    learn = learn with { Zone = zone };
                    continue;
                case ("timeout", not null) when timed:
                    return Refuse("\"sticky\" directive duplicate timeout");
                case ("timeout", not null) when NginxTime.TryParse(value, TimeUnit.Milliseconds, out var time) && time > TimeSpan.Zero:
                    (learn, timed) = (learn with { Timeout = time }, true);
                    continue;
                case ("timeout", not null):
                    return Refuse("\"sticky\" directive invalid timeout");
                case ("header", null):
                    learn = learn with { Header = true };
                    continue;
                case ("sync", null):
                    learn = learn with { Sync = true };
                    continue;
                default:
                    return Refuse($"unknown parameter \"{word}\"");
            }
        }

        return Learned(learn, create, lookup);
    }

    private StickySpec? Learned(StickyLearnSpec learn, List<string> create, List<string> lookup)
    {
        var missing = create.Count == 0 ? "create" : lookup.Count == 0 ? "lookup" : learn.Zone is null ? "zone" : null;
        if (missing is not null) return Refuse($"\"sticky\" directive \"{missing}\" parameter is not specified");
        if (Variables(create) is not { } creates || Variables(lookup) is not { } lookups) return null;

        return new() { Learn = learn with { Create = creates, Lookup = lookups } };
    }

    private SessionZoneSpec? Zone(string value)
    {
        var colon = value.IndexOf(':', StringComparison.Ordinal);
        var (name, size) = colon < 0 ? (value, null) : (value[..colon], value[(colon + 1)..]);
        var bytes = 0L;
        var mistake = size is null ? "zone size is not specified"
            : name.Length == 0 ? "zone name is not specified"
            : !NginxValues.TrySize(size, offset: false, out bytes) ? "invalid zone size"
            : bytes < SmallestZone ? "zone is too small"
            : null;
        if (mistake is null) return new() { Name = name, Size = bytes };

        Refuse($"\"sticky\" directive {mistake}");
        return null;
    }

    [GeneratedRegex(@"^\$(?:[A-Za-z0-9_]+|\{[A-Za-z0-9_]+\})\z", RegexOptions.NonBacktracking)]
    private static partial Regex OneVariable();

    [GeneratedRegex(@"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+\z", RegexOptions.NonBacktracking)]
    private static partial Regex CookieName();
}
