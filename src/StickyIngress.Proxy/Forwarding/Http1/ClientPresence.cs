using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>
/// Ends a peer's connection as soon as the client leaves. Of a client that speaks HTTP/1 the whole connection is watched, since its token exists
/// already, where one for the request would have to be made.
/// </summary>
internal readonly struct ClientPresence(CancellationTokenRegistration registration)
{
    public static ClientPresence Watch(HttpContext context, PeerConnection connection) => new(Left(context)
        .UnsafeRegister(static peer => ((PeerConnection)peer!).Abort(ConnectionEnd.ClientLeft), connection));

    public static bool HasLeft(HttpContext context) => Left(context).IsCancellationRequested || context.RequestAborted.IsCancellationRequested;

    /// <summary>False where it has ended the connection, or is about to: it must not serve anybody else.</summary>
    public bool TryStop() => registration == default || registration.Unregister();

    private static CancellationToken Left(HttpContext context) =>
        HttpProtocol.IsHttp2(context.Request.Protocol) || HttpProtocol.IsHttp3(context.Request.Protocol)
            ? context.RequestAborted
            : context.Features.Get<IConnectionLifetimeFeature>()?.ConnectionClosed ?? context.RequestAborted;
}
