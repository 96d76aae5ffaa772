using StickyIngress.Core;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Tries;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>
/// A try over a connection of our own: taken from the upstream's pool or opened, used by this one request, and kept or closed by nginx's rules
/// of keepalive. A request is never sent a second time here; whether to try again is decided above.
/// </summary>
public sealed class Http1Forwarder(ConnectionPools pools, Clock clock) : IPeerForwarder
{
    public Task<TryEnd> ForwardAsync(ProxyRequest request, PeerTry @try, PeerLease lease)
    {
        var peer = lease.Peer;
        var pool = pools.Of(peer.State.Upstream);
        var host = Host(request, peer);
        var key = Key(request, peer, host);
        var tied = TiedConnections.Take(request, key);
        var connection = tied ?? pool.Take(key, peer.State);
        @try.OnReusedConnection = connection is not null;
        connection ??= new(key, peer, clock, pools.Watch);
        return new Exchange(request, @try, lease, connection, pool, tied is not null).RunAsync(host);
    }

    /// <summary>What the Host header says; a client that sent none gets the peer's own address, as HTTP/1.1 must have one.</summary>
    private static string Host(ProxyRequest request, Peer peer)
    {
        var host = request.Settings.Host.Evaluate(request);
        if (host.Length > 0) return host;

        return peer.Name.StartsWith("unix:", StringComparison.Ordinal) ? "localhost" : peer.Name;
    }

    private ConnectionKey Key(ProxyRequest request, Peer peer, string host)
    {
        var settings = request.Settings;
        return (settings.Protocol ?? peer.Protocol) == PeerProtocol.Https
            ? new(peer.Name, pools.TlsOf(settings), PeerTlsClient.ServerName(settings.Tls, request, host))
            : new(peer.Name, null, "");
    }
}
