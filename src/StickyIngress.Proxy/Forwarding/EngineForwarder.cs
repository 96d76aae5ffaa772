using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Forwarding.Http1;
using StickyIngress.Proxy.Forwarding.Yarp;
using StickyIngress.Proxy.Tries;

namespace StickyIngress.Proxy.Forwarding;

/// <summary>Our own connections for peers that speak HTTP/1.1, YARP for the others and where a route asks for it.</summary>
public sealed class EngineForwarder(Http1Forwarder http1, YarpForwarder yarp) : IPeerForwarder
{
    public Task<TryEnd> ForwardAsync(ProxyRequest request, PeerTry @try, PeerLease lease) =>
        IsForYarp(request, lease.Peer) ? yarp.ForwardAsync(request, @try, lease) : http1.ForwardAsync(request, @try, lease);

    private static bool IsForYarp(ProxyRequest request, Peer peer) =>
        request.Settings.Engine == PeerEngine.Yarp
        || (request.Settings.Protocol ?? peer.Protocol) is PeerProtocol.H2 or PeerProtocol.H2c
        || (HttpMethods.IsConnect(request.Context.Request.Method) && request.Context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true });
}
