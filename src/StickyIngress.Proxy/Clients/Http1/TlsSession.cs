using System.Diagnostics;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using StickyIngress.Proxy.Forwarding.Http1;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Clients.Http1;

/// <summary>A session over TLS that speaks HTTP/1.1: the server has shaken hands, and encrypts and decrypts.</summary>
internal sealed class TlsSession(ClientConnection connection, ClientSessions sessions) : ClientSession(connection, sessions)
{
    private readonly PipeReader _input = connection.Transport.Input;

    public override ClientWriter Output { get; } = new TlsOutput(connection.Transport.Output);

    public override string Scheme => "https";

    /// <summary>Has hands shaken where others do not wait for it.</summary>
    public static async Task ShakeHandsAsync(ConnectionContext connection, ConnectionDelegate handshake)
    {
        if (connection is ClientConnection { Sessions: not null }) await BulkThreads.TakeTurn();
        await handshake(connection);
    }

    /// <summary>Serves a connection on which hands were shaken, and leaves to the server what is not for us.</summary>
    public static async Task ServeAsync(ConnectionContext connection, ConnectionDelegate server)
    {
        if (connection is ClientConnection { Sessions: { } sessions } client)
        {
            var isHttp2 = SpeaksHttp2(connection);
            var isOver = !isHttp2 && await new TlsSession(client, sessions).ServeAsync();
            client.Socket.ContinueOn = ContinueOn.ThreadPool;
            if (isOver) return;

            // What the server does for it may take long, and others wait on this thread.
            await Task.Yield();

            // With HTTP/2 many requests share it, so none of them may have it watched or moved for itself.
            if (isHttp2) connection.Features.Set<ClientConnection>(null);
        }

        await server(connection);
    }

    /// <summary>The read under way ends, and the client is told of the end as TLS wants it.</summary>
    protected override void EndIdle() => _input.CancelPendingRead();

    private static bool SpeaksHttp2(ConnectionContext connection) =>
        connection.Features.Get<ITlsApplicationProtocolFeature>() is { } agreed && agreed.ApplicationProtocol.Span.SequenceEqual("h2"u8);

    /// <summary>False: what has come is for the server, and so is what follows; true: it is over.</summary>
    private async Task<bool> ServeAsync()
    {
        Sessions.Add(this);
        Connection.Socket.ContinueOn = ContinueOn.EventLoop;
        try
        {
            return await ServeAllAsync();
        }
        catch (Exception e)
        {
            if (!LoopSocket.IsFailure(e)) Trace.TraceError($"{nameof(TlsSession)}: {e}");
            Connection.Abort();
            return true;
        }
        finally
        {
            Sessions.Remove(this);
        }
    }

    /// <summary>False: what has come is for the server.</summary>
    private async Task<bool> ServeAllAsync()
    {
        while (true)
        {
            BeginIdle();
            var received = await _input.ReadAsync();
            if (!TryEndIdle() || received.Buffer.IsEmpty) return true;

            var exchange = ClientExchange.Rent(this);
            if (exchange.Read(received.Buffer.First) != ParseStep.Complete)
            {
                exchange.Return();
                _input.AdvanceTo(received.Buffer.Start);
                return false;
            }

            await exchange.ServeAsync(Sessions.Pipeline);
            var goesOn = exchange.LeavesConnection;
            _input.AdvanceTo(received.Buffer.GetPosition(exchange.RequestSize));
            exchange.Return();
            if (!goesOn) return true;
        }
    }
}
