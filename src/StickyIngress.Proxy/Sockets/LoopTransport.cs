using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using StickyIngress.Core;
using StickyIngress.Proxy.Clients;
using StickyIngress.Proxy.Clients.Http1;

namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// Lets Kestrel take connections from <see cref="EventLoop"/>s, at each <see cref="LoopEndPoint"/> and <see cref="TlsEndPoint"/>. All else keeps to Kestrel's
/// own sockets.
/// </summary>
/// <param name="secure">Those that the server makes itself end points of.</param>
internal sealed class LoopTransport(
    IMemoryPoolFactory<byte> memory, ProxyPipeline pipeline, Draining draining, IOptions<KestrelServerOptions> server, SendWatch watch, TimeProvider time,
    Clock clock, IEnumerable<TlsEndPoint> secure) :
    IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly MemoryPool<byte> _memory = memory.Create();

    public bool CanBind(EndPoint endpoint) => EventLoop.IsSupported && (endpoint is LoopEndPoint || IsSecure(endpoint));

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var sessions = new ClientSessions(pipeline, draining, server.Value.Limits.KeepAliveTimeout, time, clock);
        return new(new LoopListener(Bind((IPEndPoint)endpoint), _memory, sessions, watch, IsSecure(endpoint)));
    }

    private bool IsSecure(EndPoint endpoint) => endpoint is TlsEndPoint || (endpoint is not LoopEndPoint && secure.Any(one => one.Equals(endpoint)));

    private static Socket Bind(IPEndPoint endPoint)
    {
        try
        {
            var socket = Socket.OSSupportsIPv6 || !endPoint.Address.Equals(IPAddress.IPv6Any)
                ? SocketTransportOptions.CreateDefaultBoundListenSocket(new IPEndPoint(endPoint.Address, endPoint.Port))
                : SocketTransportOptions.CreateDefaultBoundListenSocket(new IPEndPoint(IPAddress.Any, endPoint.Port));
            socket.Listen(new SocketTransportOptions().Backlog);
            return socket;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(e.Message, e);
        }
    }
}
