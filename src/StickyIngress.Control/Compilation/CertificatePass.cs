using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core.Routing;

namespace StickyIngress.Control.Compilation;

/// <summary>Which certificate a host has: that of the older of two resources. The default is the first that names no host, else the first of all.</summary>
internal sealed class CertificatePass(Dictionary<ResourceRef, DiagnosticBag> found)
{
    private const string WildcardPrefix = "*.";

    /// <param name="claimants">The oldest first.</param>
    public CertificateTable Table(List<IClaimant> claimants)
    {
        var hosts = new Dictionary<string, (ServerCertificate Certificate, ResourceRef Owner)>();
        ServerCertificate? unnamed = null;
        ServerCertificate? first = null;
        foreach (var claimant in claimants)
        {
            foreach (var claim in claimant.Certificates)
            {
                first ??= claim.Certificate;
                if (claim.Host is not { } host) unnamed ??= claim.Certificate;
                else if (!hosts.TryAdd(host, (claim.Certificate, claimant.Source.Ref))) Tell(claimant.Source, claim, hosts[host]);
            }
        }

        return new(
            hosts.Where(host => !IsWildcard(host.Key)).Select(host => KeyValuePair.Create(host.Key, host.Value.Certificate)),
            hosts.Where(host => IsWildcard(host.Key)).Select(host => KeyValuePair.Create(host.Key[WildcardPrefix.Length..], host.Value.Certificate)),
            unnamed ?? first);
    }

    private static bool IsWildcard(string host) => host.StartsWith(WildcardPrefix, StringComparison.Ordinal);

    /// <summary>Two resources may well name one host with one Secret; two Secrets cannot both be shown.</summary>
    private void Tell(Resource resource, CertificateClaim claim, (ServerCertificate Certificate, ResourceRef Owner) taken)
    {
        if (taken.Certificate.SecretName == claim.Certificate.SecretName && taken.Certificate.Namespace == claim.Certificate.Namespace) return;
        if (!found.TryGetValue(resource.Ref, out var bag)) found.Add(resource.Ref, bag = new(resource.Ref, resource.File));

        var (whose, which) = taken.Owner == resource.Ref ? ("stands here before", "") : ($"belongs to {taken.Owner}", ", which came first");
        bag.Error(Reasons.Conflicted, claim.Field, $"the certificate for {claim.Host} {whose} with Secret {taken.Certificate.SecretName}{which}");
    }
}
