using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using StickyIngress.Proxy.Clients;
using StickyIngress.Proxy.Clients.Http1;

namespace StickyIngress.Proxy.Sockets;

/// <summary>Takes in the clients of one address. The server gets to see those that <see cref="ClientSession"/> has no answer for.</summary>
internal sealed class LoopListener : IConnectionListener
{
    /// <summary>Until the system has room again; asking at once would find it as full.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Taken in one after the other before others on the event loop have their turn.</summary>
    private const int Batch = 16;

    private readonly LoopSocket _listening;
    private readonly MemoryPool<byte> _memory;
    private readonly ClientSessions _sessions;
    private readonly SendWatch _watch;
    private readonly bool _isSecure;

    public LoopListener(Socket listening, MemoryPool<byte> memory, ClientSessions sessions, SendWatch watch, bool isSecure)
    {
        listening.Blocking = false;
        (_listening, _memory, _sessions, _watch, _isSecure, EndPoint) = (new(listening), memory, sessions, watch, isSecure, listening.LocalEndPoint!);
        _listening.Start();
        _ = AcceptAllAsync();
    }

    public EndPoint EndPoint { get; }

    /// <summary>Null: it was closed.</summary>
    public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) => _sessions.NextForServerAsync(cancellationToken);

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _listening.Dispose();
        _sessions.Close(cancellationToken);
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
        await _sessions.DisposeAsync();
    }

    private async Task AcceptAllAsync()
    {
        var count = 0;
        while (!_listening.IsClosed)
        {
            try
            {
                if (_listening.TryAccept() is not { } socket) await _listening.ReadableAsync();
                else if (TryStart(socket) is { } connection) Start(connection);

                if (++count % Batch == 0) await Task.Yield();
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                await Task.Delay(Pause, TimeProvider.System);
            }
            catch (Exception e) when (LoopSocket.IsFailure(e))
            {
                // The client left before it was its turn, or nobody is taken in any more.
            }
        }
    }

    private void Start(ClientConnection connection)
    {
        if (_isSecure) _sessions.StartTls(connection);
        else _sessions.Start(connection);
    }

    /// <summary>Null: the client has left already.</summary>
    private ClientConnection? TryStart(Socket socket)
    {
        try
        {
            socket.NoDelay = true;
            var connection = new ClientConnection(socket, _memory, _watch);
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
