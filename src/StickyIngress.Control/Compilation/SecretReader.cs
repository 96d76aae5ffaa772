using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Sources;
using StickyIngress.Core.Routing;

namespace StickyIngress.Control.Compilation;

/// <summary>Reads certificates out of Secrets, each Secret once per compile however many name it; used by several threads. No message has anything of their content.</summary>
internal sealed class SecretReader(ResourceSet resources, DateTimeOffset now)
{
    private const string CertificateKey = "tls.crt";
    private const string PrivateKeyKey = "tls.key";
    private const string AuthorityKey = "ca.crt";

    private readonly ConcurrentDictionary<ResourceRef, TlsSecret> _read = new();

    /// <summary>The Secrets that were read for a certificate, with what was found.</summary>
    public IEnumerable<KeyValuePair<ResourceRef, TlsSecret>> TlsSecrets => _read;

    /// <summary>The certificate and its key, and the names that it is for; false where there is none to use, which is reported.</summary>
    public bool TryReadTls(ResourceRef named, string field, DiagnosticBag found, [NotNullWhen(true)] out TlsSecret? tls)
    {
        tls = _read.GetOrAdd(named, ReadTls);
        if (tls.Reason is { } reason)
        {
            found.Error(reason, field, tls.Message);
            return false;
        }

        if (tls.Certificate!.NotAfter <= now)
            found.Error(Reasons.CertificateExpired, field, $"the certificate of {named} ended on {tls.Certificate.NotAfter:yyyy-MM-dd HH:mm:ss}Z; clients refuse it");

        return true;
    }

    /// <summary>The authorities of a Secret as PEM; null where there are none, which is reported.</summary>
    public string? ReadAuthorities(ResourceRef named, string field, DiagnosticBag found)
    {
        if (!resources.Secrets.TryGetValue(named, out var secret))
        {
            found.Error(Reasons.SecretNotFound, field, $"there is no {named}");
            return null;
        }

        try
        {
            var pem = Text(secret, AuthorityKey);
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPem(pem);
            var any = authorities.Count > 0;
            foreach (var authority in authorities) authority.Dispose();
            if (any) return pem;
        }
        catch (CryptographicException)
        {
            // Said below like a Secret without any certificate: what is there is none.
        }

        found.Error(Reasons.InvalidSecret, field, $"{named} has no PEM certificate in {AuthorityKey}");
        return null;
    }

    private TlsSecret ReadTls(ResourceRef named)
    {
        if (!resources.Secrets.TryGetValue(named, out var secret)) return TlsSecret.Bad(Reasons.SecretNotFound, $"there is no {named}");
        if (secret.Type != Secret.TlsType)
            return TlsSecret.Bad(Reasons.InvalidSecret, $"{named} is of type {secret.Type}; it must be {Secret.TlsType}");

        var (certificatePem, keyPem) = (Text(secret, CertificateKey), Text(secret, PrivateKeyKey));
        if (certificatePem.Length == 0) return TlsSecret.Bad(Reasons.InvalidSecret, $"{named} has no {CertificateKey}");
        if (keyPem.Length == 0) return TlsSecret.Bad(Reasons.InvalidSecret, $"{named} has no {PrivateKeyKey}");

        return Check(named, certificatePem, keyPem);
    }

    private static TlsSecret Check(ResourceRef named, string certificatePem, string keyPem)
    {
        try
        {
            using var alone = X509Certificate2.CreateFromPem(certificatePem);
        }
        catch (CryptographicException)
        {
            return TlsSecret.Bad(Reasons.InvalidSecret, $"{CertificateKey} of {named} is not a PEM certificate");
        }

        try
        {
            using var certificate = X509Certificate2.CreateFromPem(certificatePem, keyPem);
            return new(
                new(named.Namespace, named.Name, certificatePem, keyPem, new DateTimeOffset(certificate.NotAfter.ToUniversalTime())),
                NamesOf(certificate), null, "");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return TlsSecret.Bad(Reasons.InvalidSecret, $"{PrivateKeyKey} of {named} is not the PEM key of the certificate in {CertificateKey}");
        }
    }

    private static string[] NamesOf(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(extension => extension.EnumerateDnsNames()).ToArray();
        return names.Length > 0 || certificate.GetNameInfo(X509NameType.DnsName, forIssuer: false) is not { Length: > 0 } common ? names : [common];
    }

    private static string Text(Secret secret, string key) =>
        secret.Data.TryGetValue(key, out var bytes) ? Encoding.UTF8.GetString(bytes.Span) : "";
}

/// <summary>What a kubernetes.io/tls Secret holds, or why it cannot be used.</summary>
internal sealed record TlsSecret(ServerCertificate? Certificate, IReadOnlyList<string> Names, string? Reason, string Message)
{
    public static TlsSecret Bad(string reason, string message) => new(null, [], reason, message);
}
