using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Proxy.Forwarding;

/// <summary>TLS towards peers as the settings have it: whom to trust, what to show, and which protocol to speak. Shared by all forwarders.</summary>
internal sealed class PeerTlsClient(PeerTls tls, SslApplicationProtocol protocol)
{
    private const int LongestName = 253;
    private const int LongestLabel = 63;

    private static readonly SearchValues<char> LabelText = SearchValues.Create("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");

    private readonly SslClientAuthenticationOptions _shared = Create(tls, protocol);

    /// <summary>The name for SNI and verification: the one that is set, else that of the Host header, without port.</summary>
    public static string ServerName(PeerTls tls, ProxyRequest request, string host)
    {
        var name = tls.ServerName.Evaluate(request);
        if (name.Length == 0) name = host;

        var colon = name.LastIndexOf(':');
        var bare = (colon > name.LastIndexOf(']') ? name[..colon] : name).Trim('[', ']');
        return IsName(bare) || IPAddress.TryParse(bare, out _) ? bare : "";
    }

    /// <summary>Clients have a hand in it, and no handshake can be begun with any text: another one is no name, which no certificate is for.</summary>
    private static bool IsName(string text)
    {
        if (text.Length > LongestName) return false;

        foreach (var label in text.AsSpan().Split('.'))
        {
            var (start, end) = (label.Start.Value, label.End.Value);
            if (end == start || end - start > LongestLabel || text.AsSpan(start, end - start).ContainsAnyExcept(LabelText)) return false;
        }

        return true;
    }

    /// <summary>A connection's own options; what is costly to make is shared by all.</summary>
    public SslClientAuthenticationOptions For(string serverName) => new()
    {
        TargetHost = serverName,
        ApplicationProtocols = _shared.ApplicationProtocols,
        RemoteCertificateValidationCallback = _shared.RemoteCertificateValidationCallback,
        CertificateChainPolicy = _shared.CertificateChainPolicy?.Clone(),
        ClientCertificateContext = _shared.ClientCertificateContext,
    };

    private static SslClientAuthenticationOptions Create(PeerTls tls, SslApplicationProtocol protocol)
    {
        var options = new SslClientAuthenticationOptions { ApplicationProtocols = [protocol] };
#pragma warning disable CA5359 // the user wrote verify: false, as nginx's proxy_ssl_verify off
        if (!tls.Verify) options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        if (tls.CaPem is { } authorities)
        {
            options.CertificateChainPolicy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            options.CertificateChainPolicy.CustomTrustStore.ImportFromPem(authorities);
        }

        if (tls is { ClientCertificatePem: { } certificate, ClientKeyPem: { } key })
            options.ClientCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(certificate, key), null);

        return options;
    }
}
