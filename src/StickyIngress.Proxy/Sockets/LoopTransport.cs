using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using StickyIngress.Core;
using StickyIngress.Proxy.Clients;

namespace StickyIngress.Proxy.Sockets;

/// <summary>Lets Kestrel take connections from <see cref="EventLoop"/>s, at each <see cref="LoopEndPoint"/>. TLS and all else keep to Kestrel's own sockets.</summary>
/*
 * A handshake would hold up everybody on its loop, and the stream that decrypts hops between threads anyway.
 */
internal sealed class LoopTransport(
    IMemoryPoolFactory<byte> memory, ProxyPipeline pipeline, Draining draining, IOptions<KestrelServerOptions> server, SendWatch watch, TimeProvider time,
    Clock clock) :
    IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly MemoryPool<byte> _memory = memory.Create();

    public bool CanBind(EndPoint endpoint) => EventLoop.IsSupported && endpoint is LoopEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new(new LoopListener(Bind((LoopEndPoint)endpoint), _memory, new(pipeline, draining, server.Value.Limits.KeepAliveTimeout, time, clock), watch));

    private static Socket Bind(LoopEndPoint endPoint)
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
