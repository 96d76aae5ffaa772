using System.Net;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core.Routing;

namespace StickyIngress.Control.Compilation;

/// <summary>The certificates for clients, by the hosts that the spec names or else those that the certificate is for.</summary>
internal static class TlsPass
{
    public static void Run(PlanDraft draft)
    {
        for (var i = 0; i < draft.Spec.Tls.Count; i++)
        {
            var (spec, field) = (draft.Spec.Tls[i], $"spec.tls[{i}]");
            var usable = draft.Secrets.TryReadTls(draft.UseSecret(spec.SecretName), $"{field}.secretName", draft.Found, out var tls);
            var hosts = spec.Hosts.Count > 0 || !usable ? spec.Hosts : tls!.Names;
            if (usable) draft.Certificates.AddRange(Claims(tls!, hosts, spec.Hosts.Count > 0 ? $"{field}.hosts" : $"{field}.secretName"));
            if (usable) CheckHosts(tls!, spec.Hosts, $"{field}.hosts", draft.Found);
            if (spec.Redirect) AddRedirects(draft, hosts);
        }
    }

    private static void AddRedirects(PlanDraft draft, IReadOnlyList<string> hosts)
    {
        if (hosts.Count == 0) draft.RedirectedHosts.Add(HostPattern.Any);
        foreach (var host in hosts)
        {
            if (HostPattern.TryParse(host, out var pattern, out _)) draft.RedirectedHosts.Add(pattern);
        }
    }

    /// <summary>One claim for each host; for a certificate without any name the place of the default.</summary>
    public static IEnumerable<CertificateClaim> Claims(TlsSecret tls, IReadOnlyList<string> hosts, string field) =>
        hosts.Count == 0
            ? [new(null, tls.Certificate!, field)]
            : hosts.Select(host => new CertificateClaim(host.TrimEnd('.').ToLowerInvariant(), tls.Certificate!, field));

    /// <summary>Tells the hosts whose clients will not take the certificate for theirs; it is served all the same, since there is no better one.</summary>
    public static void CheckHosts(TlsSecret tls, IReadOnlyList<string> hosts, string field, DiagnosticBag found)
    {
        for (var i = 0; i < hosts.Count; i++)
        {
            var host = hosts[i].TrimEnd('.');
            if (tls.Names.Any(name => IsFor(name, host)) || IPAddress.TryParse(host, out _)) continue; // clients name no address by SNI

            var names = tls.Names.Count == 0 ? "no name" : string.Join(", ", tls.Names);
            found.Warn(Reasons.CertificateMismatch, $"{field}[{i}]", $"the certificate of {tls.Certificate} is for {names}, and not for {host}; clients refuse it");
        }
    }

    /// <summary>A wildcard in a certificate stands for one label.</summary>
    private static bool IsFor(string name, string host) =>
        name.Equals(host, StringComparison.OrdinalIgnoreCase)
        || (name.StartsWith("*.", StringComparison.Ordinal) && host.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot
            && host.AsSpan(dot).Equals(name.AsSpan(1), StringComparison.OrdinalIgnoreCase));
}
