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
    public async Task<TryEnd> ForwardAsync(ProxyRequest request, PeerTry @try, PeerLease lease)
    {
        var peer = lease.Peer;
        var pool = pools.Of(peer.State.Upstream);
        var host = Host(request, peer);
        var key = Key(request, peer, host);
        var tied = TiedConnections.Take(request, key);
        var connection = tied ?? pool.Take(key, peer.State);
        @try.OnReusedConnection = connection is not null;
        connection ??= new(key, peer, clock, pools.Watch);
        var presence = ClientPresence.Watch(request.Context, connection);

        var exchange = new Exchange(request, @try, lease, connection);
        var end = @try.OnReusedConnection ? null : await ConnectAsync(connection, peer, request.Settings);
        if (end is null)
        {
            @try.ConnectTime = @try.OnReusedConnection ? 0 : request.Now - @try.StartedAt;
            end = await exchange.RunAsync(host, presence);
        }

        if (!presence.TryStop() || !exchange.CanKeep || connection.End != ConnectionEnd.None) connection.Dispose();
        else if (TiedConnections.ShouldTie(request, tied is not null)) TiedConnections.Keep(request, connection);
        else pool.Keep(connection, request.Settings.Keepalive);

        return end.Value;
    }

    /// <summary>Null: it is connected.</summary>
    private static async Task<TryEnd?> ConnectAsync(PeerConnection connection, Peer peer, ProxySettings settings)
    {
        try
        {
            await connection.ConnectAsync(peer.EndPoint, (long)settings.ConnectTimeout.TotalMilliseconds);
            return null;
        }
        catch (Exception e) when (PeerConnection.IsFailure(e))
        {
            return connection.End switch
            {
                ConnectionEnd.Timeout => TryEnd.ConnectTimeout,
                ConnectionEnd.ClientLeft => TryEnd.ClientAborted,
                _ => TryEnd.ConnectFailed,
            };
        }
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
