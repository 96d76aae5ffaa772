using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace StickyIngress.Testing.ApiServers;

/// <summary>The keys of a cluster of one API server, as PEM files in a folder: an authority, the server, its administrator, and the signer of tokens.</summary>
public sealed class ApiServerKeys
{
    private ApiServerKeys(string folder) => Folder = folder;

    public string Folder { get; }

    public string Authority => Path.Combine(Folder, "ca.crt");

    public string ServerCertificate => Path.Combine(Folder, "server.crt");

    public string ServerKey => Path.Combine(Folder, "server.key");

    public string AdminCertificate => Path.Combine(Folder, "admin.crt");

    public string AdminKey => Path.Combine(Folder, "admin.key");

    public string TokenKey => Path.Combine(Folder, "tokens.key");

    /// <summary>Those of a server that made its own, as PEM: its authority and its administrator.</summary>
    public static ApiServerKeys Write(string folder, string authority, string certificate, string key)
    {
        var keys = new ApiServerKeys(folder);
        File.WriteAllText(keys.Authority, authority);
        File.WriteAllText(keys.AdminCertificate, certificate);
        File.WriteAllText(keys.AdminKey, key);
        return keys;
    }

    public static ApiServerKeys Create(string folder)
    {
        var keys = new ApiServerKeys(folder);
        var now = TimeProvider.System.GetUtcNow();
        var (from, to) = (now.AddHours(-1), now.AddDays(2));
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=test authority", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        using var signer = authority.CreateSelfSigned(from, to);
        File.WriteAllText(keys.Authority, signer.ExportCertificatePem());

        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        Issue(signer, from, to, "CN=kube-apiserver", names.Build(), keys.ServerCertificate, keys.ServerKey);
        Issue(signer, from, to, "CN=admin, O=system:masters", null, keys.AdminCertificate, keys.AdminKey);

        using var tokens = RSA.Create(2048);
        File.WriteAllText(keys.TokenKey, tokens.ExportPkcs8PrivateKeyPem());
        return keys;
    }

    private static void Issue(
        X509Certificate2 signer, DateTimeOffset from, DateTimeOffset to, string subject, X509Extension? names, string certificateFile, string keyFile)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1"), new("1.3.6.1.5.5.7.3.2")], critical: false));
        if (names is not null) request.CertificateExtensions.Add(names);
        using var issued = request.Create(signer, from, to, RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(certificateFile, issued.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
    }
}
