using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>
/// Peer connections that belong to one client connection, one for each upstream, since NTLM and Negotiate authenticate a connection and not a
/// request (nginx <c>ntlm</c>). They are in no pool and are closed with the client's.
/// </summary>
internal sealed class TiedConnections
{
    private static readonly object ItemKey = new();

    private readonly Lock _gate = new();
    private readonly Dictionary<UpstreamState, PeerConnection> _connections = [];
    private bool _isClosed;

    /// <summary>To which peer this client's connection is tied; null: to none.</summary>
    public static PeerState? PeerOf(ProxyRequest request)
    {
        if (!request.Settings.Keepalive.Ntlm || Find(request.Context, make: false) is not { } tied) return null;

        lock (tied._gate) return tied._connections.TryGetValue(request.Upstream!.State, out var connection) ? connection.Peer : null;
    }

    /// <summary>The client's own connection, taken out for the request; null: it has none to this peer that still works.</summary>
    public static PeerConnection? Take(ProxyRequest request, in ConnectionKey key)
    {
        if (!request.Settings.Keepalive.Ntlm || Find(request.Context, make: false) is not { } tied) return null;

        PeerConnection? connection;
        lock (tied._gate)
        {
            if (!tied._connections.TryGetValue(request.Upstream!.State, out connection) || connection.Key != key) return null;
            tied._connections.Remove(request.Upstream.State);
        }

        if (connection.IsQuiet) return connection;

        connection.Dispose();
        return null;
    }

    /// <summary>Whether the request makes its connection the client's own, or it is that already.</summary>
    public static bool ShouldTie(ProxyRequest request, bool wasTied)
    {
        if (!request.Settings.Keepalive.Ntlm || !HttpProtocol.IsHttp11(request.Context.Request.Protocol)) return false;
        if (wasTied) return true;

        return request.Context.Request.Headers.Authorization is [{ } value, ..]
            && (value.StartsWith("NTLM", StringComparison.OrdinalIgnoreCase) || value.StartsWith("Negotiate", StringComparison.OrdinalIgnoreCase));
    }

    public static void Keep(ProxyRequest request, PeerConnection connection)
    {
        connection.BeginIdle();
        if (Find(request.Context, make: true) is not { } tied || !tied.TryAdd(request.Upstream!.State, connection)) connection.Dispose();
    }

    private static TiedConnections? Find(HttpContext context, bool make)
    {
        if (context.Features.Get<IConnectionItemsFeature>() is not { } feature) return null;
        if (feature.Items.TryGetValue(ItemKey, out var known)) return (TiedConnections?)known;
        if (!make || context.Features.Get<IConnectionLifetimeFeature>() is not { } lifetime) return null;

        var made = new TiedConnections();
        feature.Items[ItemKey] = made;
        lifetime.ConnectionClosed.UnsafeRegister(static tied => ((TiedConnections)tied!).Close(), made);
        return made;
    }

    private bool TryAdd(UpstreamState upstream, PeerConnection connection)
    {
        PeerConnection? former;
        lock (_gate)
        {
            if (_isClosed) return false;
            _connections.Remove(upstream, out former);
            _connections.Add(upstream, connection);
        }

        former?.Dispose();
        return true;
    }

    private void Close()
    {
        lock (_gate) _isClosed = true;
        foreach (var connection in _connections.Values) connection.Dispose();
    }
}
