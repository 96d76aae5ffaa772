using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace StickyIngress.Tests;

/// <summary>Certificates that sign themselves, as Secrets.</summary>
internal static class Certificates
{
    /// <summary>A new pair for the host, as PEM.</summary>
    public static (string Certificate, string Key) Pair(string host, TimeSpan life)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddHours(-1), now + life);
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>A kubernetes.io/tls Secret with a new pair for the host.</summary>
    public static string Secret(string name, string host, TimeSpan life)
    {
        var (certificate, key) = Pair(host, life);
        return $$"""
            apiVersion: v1
            kind: Secret
            type: kubernetes.io/tls
            metadata: { name: {{name}} }
            data:
              tls.crt: {{Base64(certificate)}}
              tls.key: {{Base64(key)}}
            """;
    }

    /// <summary>A Secret with whom to trust.</summary>
    public static string Authority(string name, string certificate) => $$"""
        apiVersion: v1
        kind: Secret
        metadata: { name: {{name}} }
        data: { ca.crt: {{Base64(certificate)}} }
        """;

    private static string Base64(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));
}
