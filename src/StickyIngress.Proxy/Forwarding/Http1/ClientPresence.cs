using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>
/// Ends a peer's connection as soon as the client leaves. Of a client that speaks HTTP/1 the whole connection is watched, which costs less than a
/// token for each request.
/// </summary>
internal readonly struct ClientPresence
{
    private readonly ClientConnection? _client;
    private readonly PeerConnection? _peer;
    private readonly CancellationTokenRegistration _registration;

    private ClientPresence(ClientConnection? client, PeerConnection peer, CancellationTokenRegistration registration)
    {
        (_client, _peer, _registration) = (client, peer, registration);
    }

    public static ClientPresence Watch(HttpContext context, PeerConnection connection)
    {
        if (ClientConnection.Of(context) is { } client)
        {
            client.Watch(connection);
            return new(client, connection, default);
        }

        return new(null, connection, Left(context).UnsafeRegister(static peer => ((PeerConnection)peer!).Abort(ConnectionEnd.ClientLeft), connection));
    }

    /// <summary>Also where its connection has ended and the tokens that tell so are still to be cancelled.</summary>
    public static bool HasLeft(HttpContext context) =>
        ClientConnection.Of(context) is { HasLeft: true } || Left(context).IsCancellationRequested || context.RequestAborted.IsCancellationRequested;

    /// <summary>False where it has ended the connection, or is about to: it must not serve anybody else.</summary>
    public bool TryStop() => _client is not null ? _client.TryUnwatch(_peer!) : _registration == default || _registration.Unregister();

    private static CancellationToken Left(HttpContext context) =>
        HttpProtocol.IsHttp2(context.Request.Protocol) || HttpProtocol.IsHttp3(context.Request.Protocol)
            ? context.RequestAborted
            : context.Features.Get<IConnectionLifetimeFeature>()?.ConnectionClosed ?? context.RequestAborted;
}
