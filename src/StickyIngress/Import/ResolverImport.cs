using System.Net;
using StickyIngress.Api;
using StickyIngress.Api.Schema;

namespace StickyIngress.Import;

/// <summary><c>resolver</c> and <c>resolver_timeout</c>.</summary>
internal static class ResolverImport
{
    /// <summary>Null after an error.</summary>
    public static ResolverSpec? Read(NginxDirective line, ImportFindings findings)
    {
        var (resolver, addresses) = (new ResolverSpec(), new List<string>());
        foreach (var word in line.Arguments)
        {
            var (name, value) = NginxValues.Parameter(word);
            switch (name, value)
            {
                case ("valid", not null) when NginxTime.TryParse(value, TimeUnit.Seconds, out var valid):
                    resolver = resolver with { Valid = valid };
                    continue;
                case ("ipv4", "on" or "off"):
                    resolver = resolver with { Ipv4 = value == "on" };
                    continue;
                case ("ipv6", "on" or "off"):
                    resolver = resolver with { Ipv6 = value == "on" };
                    continue;
                case ("valid" or "ipv4" or "ipv6", not null):
                    findings.Error(line, $"invalid parameter: {word}");
                    return null;
                case ("status_zone", { Length: > 0 }):
                    resolver = resolver with { StatusZone = value };
                    continue;
                case (_, null):
                    addresses.Add(word);
                    continue;
                default:
                    findings.Error(line, $"host not found in resolver \"{word}\"");
                    return null;
            }
        }

        return Checked(line, findings, resolver with { Addresses = addresses });
    }

    public static TimeSpan? ReadTimeout(NginxDirective line, ImportFindings findings)
    {
        if (line.Arguments.Length == 1 && NginxTime.TryParse(line.First, TimeUnit.Milliseconds, out var time)) return time;

        findings.Error(line, "\"resolver_timeout\" directive invalid value");
        return null;
    }

    private static ResolverSpec? Checked(NginxDirective line, ImportFindings findings, ResolverSpec resolver)
    {
        var mistake = line.Arguments.IsEmpty ? "invalid number of arguments in \"resolver\" directive"
            : resolver.Addresses.Count == 0 ? "no name servers defined"
            : resolver is { Ipv4: false, Ipv6: false } ? "\"ipv4\" and \"ipv6\" cannot both be \"off\""
            : null;
        if (mistake is not null) findings.Error(line, mistake);

        foreach (var name in resolver.Addresses.Where(address => !IPEndPoint.TryParse(address, out _)))
            findings.Warn(line, $"\"{name}\" is a name; the resolver's addresses must be numbers here where the name cannot be found");
        return mistake is null ? resolver : null;
    }
}
