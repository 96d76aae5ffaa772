using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using StickyIngress.Core;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Tries;

namespace StickyIngress.Proxy.Forwarding.Yarp;

/// <summary>Opens connections for one profile: TCP or a unix socket, and TLS on top where the profile has it.</summary>
internal sealed class PeerConnector(InvokerProfileKey profile, Clock clock)
{
    public static readonly HttpRequestOptionsKey<ConnectTarget> Target = new("peer");

    private readonly SslClientAuthenticationOptions? _tls = profile.IsTls ? CreateTls(profile) : null;

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (!context.InitialRequestMessage.Options.TryGetValue(Target, out var target))
            throw new InvalidOperationException("The request does not say which peer it is for.");

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(profile.ConnectTimeout);
        var endPoint = target.Peer.EndPoint;
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, endPoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            if (endPoint is IPEndPoint) socket.NoDelay = true;
            await socket.ConnectAsync(endPoint, limit.Token);
            Stream stream = new PeerStream(socket, profile.SendTimeout, target.Peer.State);
            if (_tls is not null) stream = await HandshakeAsync(stream, target.ServerName, limit.Token);
            target.Try.ConnectTime = clock.Milliseconds - target.Try.StartedAt;
            return stream;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new PeerConnectTimeoutException($"no connection to {target.Peer.Name} within {profile.ConnectTimeout}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<Stream> HandshakeAsync(Stream stream, string serverName, CancellationToken cancellationToken)
    {
        var ssl = new SslStream(stream);
        try
        {
            await ssl.AuthenticateAsClientAsync(WithName(_tls!, serverName), cancellationToken);
            return ssl;
        }
        catch
        {
            await ssl.DisposeAsync();
            throw;
        }
    }

    private static SslClientAuthenticationOptions WithName(SslClientAuthenticationOptions shared, string serverName) => new()
    {
        TargetHost = serverName,
        ApplicationProtocols = shared.ApplicationProtocols,
        RemoteCertificateValidationCallback = shared.RemoteCertificateValidationCallback,
        CertificateChainPolicy = shared.CertificateChainPolicy?.Clone(),
        ClientCertificateContext = shared.ClientCertificateContext,
    };

    private static SslClientAuthenticationOptions CreateTls(InvokerProfileKey profile)
    {
        var tls = profile.Tls!;
        var options = new SslClientAuthenticationOptions
        {
            ApplicationProtocols = [profile.Protocol == PeerProtocol.H2 ? SslApplicationProtocol.Http2 : SslApplicationProtocol.Http11],
        };
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

/// <summary>Where a new connection goes, carried by the request that asks for it.</summary>
internal sealed record ConnectTarget(Peer Peer, string ServerName, PeerTry Try);

/// <summary>The connect timeout passed.</summary>
internal sealed class PeerConnectTimeoutException(string message, Exception inner) : IOException(message, inner);
