using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using StickyIngress.Core;
using StickyIngress.Core.Routing;
using StickyIngress.Proxy.Clients.Http1;

namespace StickyIngress.Proxy.Clients;

/// <summary>
/// TLS with clients: the certificate is that of the snapshot in service when the client says hello, so a new one is used for new connections and
/// drops none. TLS 1.2 and newer; HTTP/2 by ALPN.
/// </summary>
public sealed class ClientTls(SnapshotHolder snapshots)
{
    private readonly ConditionalWeakTable<ServerCertificate, SslStreamCertificateContext> _contexts = [];

    public void Use(ListenOptions listen)
    {
        listen.Use(static handshake => connection => TlsSession.ShakeHandsAsync(connection, handshake));
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = hello => ValueTask.FromResult(Options(hello.ClientHelloInfo.ServerName)),
        });
        listen.Use(static server => connection => TlsSession.ServeAsync(connection, server));
    }

    private SslServerAuthenticationOptions Options(string serverName)
    {
        var certificate = snapshots.Current.Certificates.Find(serverName)
            ?? throw new AuthenticationException($"no certificate for \"{serverName}\"");
        return new()
        {
            ServerCertificateContext = _contexts.GetValue(certificate, Load),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
        };
    }

    /// <summary>The first certificate of the chain with its key; what follows it is sent along.</summary>
    private static SslStreamCertificateContext Load(ServerCertificate certificate)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(certificate.CertificatePem);
        var own = X509Certificate2.CreateFromPem(certificate.CertificatePem, certificate.KeyPem);
        return SslStreamCertificateContext.Create(own, chain, offline: true);
    }
}
