using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Tries;

namespace StickyIngress.Proxy.Forwarding;

/// <summary>One try against one peer: sends the request, and passes the response on unless another peer shall answer.</summary>
public interface IPeerForwarder
{
    /// <summary>Never throws for anything that peer or client do.</summary>
    Task<TryEnd> ForwardAsync(ProxyRequest request, PeerTry @try, PeerLease lease);
}
