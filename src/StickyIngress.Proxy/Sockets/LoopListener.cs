using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace StickyIngress.Proxy.Sockets;

/// <summary>Takes in the clients of one address.</summary>
internal sealed class LoopListener(Socket listening, MemoryPool<byte> memory) : IConnectionListener
{
    /// <summary>Until the system has room again; asking at once would find it as full.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public EndPoint EndPoint { get; } = listening.LocalEndPoint!;

    /// <summary>Null: it was closed.</summary>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                var socket = await listening.AcceptAsync(cancellationToken);
                if (TryStart(socket) is { } connection) return connection;
            }
            catch (Exception e) when (e is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return null;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                await Task.Delay(Pause, TimeProvider.System, cancellationToken);
            }
            catch (SocketException)
            {
                // The client left before it was its turn.
            }
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        listening.Dispose();
        return default;
    }

    public ValueTask DisposeAsync() => UnbindAsync();

    /// <summary>Null: the client has left already.</summary>
    private ClientConnection? TryStart(Socket socket)
    {
        try
        {
            socket.NoDelay = true;
            var connection = new ClientConnection(socket, memory);
            connection.Socket.Start();
            return connection;
        }
        catch (Exception e) when (LoopSocket.IsFailure(e))
        {
            socket.Dispose();
            return null;
        }
    }
}
