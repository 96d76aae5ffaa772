using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using StickyIngress.Core;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Tries;

namespace StickyIngress.Proxy.Forwarding.Yarp;

/// <summary>Opens connections for one profile: TCP or a unix socket, and TLS on top where the profile has it.</summary>
internal sealed class PeerConnector(InvokerProfileKey profile, Clock clock)
{
    public static readonly HttpRequestOptionsKey<ConnectTarget> Target = new("peer");

    private readonly PeerTlsClient? _tls = profile.IsTls
        ? new(profile.Tls!, profile.Protocol == PeerProtocol.H2 ? SslApplicationProtocol.Http2 : SslApplicationProtocol.Http11)
        : null;

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
            return profile.IsHttp2 ? stream : new OnceStream(stream);
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
            await ssl.AuthenticateAsClientAsync(_tls!.For(serverName), cancellationToken);
            return ssl;
        }
        catch
        {
            await ssl.DisposeAsync();
            throw;
        }
    }
}

/// <summary>Where a new connection goes, carried by the request that asks for it.</summary>
internal sealed record ConnectTarget(Peer Peer, string ServerName, PeerTry Try)
{
    /// <summary>The first header that was written of the request; null: none yet. See <see cref="OnceHeaders"/>.</summary>
    public string? FirstHeader { get; set; }
}

/// <summary>The connect timeout passed.</summary>
internal sealed class PeerConnectTimeoutException(string message, Exception inner) : IOException(message, inner);
