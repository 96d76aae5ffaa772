using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core.Routing;

namespace StickyIngress.Control.Compilation;

/// <summary>Which certificate a host has: that of the older of two resources. The default is the first that names no host, else the first of all.</summary>
internal sealed class CertificatePass(CompileRun run, Dictionary<ResourceRef, DiagnosticBag> found)
{
    private const string WildcardPrefix = "*.";

    public CertificateTable Table()
    {
        var hosts = new Dictionary<string, (ServerCertificate Certificate, ResourceRef Owner)>();
        ServerCertificate? unnamed = null;
        ServerCertificate? first = null;
        foreach (var (resource, claim) in Claims())
        {
            first ??= claim.Certificate;
            if (claim.Host is not { } host) unnamed ??= claim.Certificate;
            else if (!hosts.TryAdd(host, (claim.Certificate, resource.Ref))) Tell(resource, claim, hosts[host]);
        }

        return new(
            hosts.Where(host => !IsWildcard(host.Key)).Select(host => KeyValuePair.Create(host.Key, host.Value.Certificate)),
            hosts.Where(host => IsWildcard(host.Key)).Select(host => KeyValuePair.Create(host.Key[WildcardPrefix.Length..], host.Value.Certificate)),
            unnamed ?? first);
    }

    private static bool IsWildcard(string host) => host.StartsWith(WildcardPrefix, StringComparison.Ordinal);

    private IEnumerable<(Resource Resource, CertificateClaim Claim)> Claims() =>
        run.Upstreams.Values.Where(known => known.Plan is { Certificates.IsEmpty: false })
            .Select(known => ((Resource)known.Plan!.Source, known.Plan.Certificates))
            .Concat(run.Ingresses.Values.Select(plan => ((Resource)plan.Source, plan.Certificates)))
            .OrderBy(claimant => claimant.Item1, ResourceAge.Instance)
            .SelectMany(claimant => claimant.Certificates.Select(claim => (claimant.Item1, claim)));

    /// <summary>Two resources may well name one host with one Secret; two Secrets cannot both be shown.</summary>
    private void Tell(Resource resource, CertificateClaim claim, (ServerCertificate Certificate, ResourceRef Owner) taken)
    {
        if (taken.Certificate.SecretName == claim.Certificate.SecretName && taken.Certificate.Namespace == claim.Certificate.Namespace) return;
        if (!found.TryGetValue(resource.Ref, out var bag)) found.Add(resource.Ref, bag = new(resource.Ref, resource.File));

        var (whose, which) = taken.Owner == resource.Ref ? ("stands here before", "") : ($"belongs to {taken.Owner}", ", which came first");
        bag.Error(Reasons.Conflicted, claim.Field, $"the certificate for {claim.Host} {whose} with Secret {taken.Certificate.SecretName}{which}");
    }
}
