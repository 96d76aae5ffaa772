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
            if (spec.Redirect) AddRedirects(draft, hosts);
        }
    }

    private static void AddRedirects(PlanDraft draft, IReadOnlyList<string> hosts)
    {
        if (hosts.Count == 0) draft.RedirectedHosts.Add(null);
        draft.RedirectedHosts.AddRange(hosts);
    }

    /// <summary>One claim for each host; for a certificate without any name the place of the default.</summary>
    public static IEnumerable<CertificateClaim> Claims(TlsSecret tls, IReadOnlyList<string> hosts, string field) =>
        hosts.Count == 0
            ? [new(null, tls.Certificate!, field)]
            : hosts.Select(host => new CertificateClaim(host.TrimEnd('.').ToLowerInvariant(), tls.Certificate!, field));
}
