namespace StickyIngress.Import;

/// <summary>Where a <c>proxy_pass</c> or <c>grpc_pass</c> leads.</summary>
/// <param name="Host">What nginx calls <c>$proxy_host</c>: the name as written, with its port if it has one.</param>
/// <param name="Path">What follows the host; empty: nothing.</param>
internal sealed record ProxyTarget(bool IsGrpc, bool IsTls, string Host, string Path, NginxDirective Line)
{
    /// <summary>Null where the directive has no counterpart or is wrong, which the findings say.</summary>
    public static ProxyTarget? Read(NginxDirective line, ImportFindings findings)
    {
        if (line.Arguments.Length != 1)
        {
            findings.Error(line, $"invalid number of arguments in \"{line.Name}\" directive");
            return null;
        }

        if (line.First.Contains('$', StringComparison.Ordinal))
        {
            findings.NoCounterpart(line, "an upstream is named, not computed");
            return null;
        }

        var isGrpc = line.Name == "grpc_pass";
        var colon = line.First.IndexOf("://", StringComparison.Ordinal);
        var scheme = colon < 0 ? "" : line.First[..colon].ToLowerInvariant();
        bool? tls = (isGrpc, scheme) switch
        {
            (false, "http") or (true, "grpc" or "") => false,
            (false, "https") or (true, "grpcs") => true,
            _ => null,
        };
        if (tls is null)
        {
            findings.Error(line, "invalid URL prefix");
            return null;
        }

        var rest = colon < 0 ? line.First : line.First[(colon + 3)..];
        if (rest.StartsWith("unix:", StringComparison.OrdinalIgnoreCase))
        {
            var end = rest.IndexOf(':', "unix:".Length);
            return new(isGrpc, tls.Value, end < 0 ? rest : rest[..end], end < 0 ? "" : rest[(end + 1)..], line);
        }

        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        return new(isGrpc, tls.Value, slash < 0 ? rest : rest[..slash], slash < 0 ? "" : rest[slash..], line);
    }

    /// <summary>The host without its port.</summary>
    public string Name => Host.LastIndexOf(':') is > 0 and var colon && !Host.EndsWith(']') ? Host[..colon] : Host;

    /// <summary>Variables with a known value in this place.</summary>
    public IReadOnlyDictionary<string, string> Literals => new Dictionary<string, string>
    {
        ["proxy_host"] = Host,
        ["proxy_port"] = Name.Length < Host.Length ? Host[(Name.Length + 1)..] : IsTls ? "443" : "80",
    };
}
