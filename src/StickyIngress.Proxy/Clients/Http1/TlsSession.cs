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

    /// <summary>Serves a connection on which hands were shaken, and leaves to the server what is not for us.</summary>
    public static Task ServeAsync(ConnectionContext connection, ConnectionDelegate server)
    {
        if (connection is not ClientConnection { Sessions: { } sessions } client) return server(connection);
        if (!SpeaksHttp2(connection)) return new TlsSession(client, sessions).ServeAsync(server);

        // Many requests share it, so none of them may have it watched or moved for itself.
        connection.Features.Set<ClientConnection>(null);
        return server(connection);
    }

    /// <summary>The read under way ends, and the client is told of the end as TLS wants it.</summary>
    protected override void EndIdle() => _input.CancelPendingRead();

    private static bool SpeaksHttp2(ConnectionContext connection) =>
        connection.Features.Get<ITlsApplicationProtocolFeature>() is { } agreed && agreed.ApplicationProtocol.Span.SequenceEqual("h2"u8);

    private async Task ServeAsync(ConnectionDelegate server)
    {
        Sessions.Add(this);
        Connection.Socket.IsInline = true;
        var isForServer = false;
        try
        {
            isForServer = !await ServeAllAsync();
        }
        catch (Exception e)
        {
            if (!LoopSocket.IsFailure(e)) Trace.TraceError($"{nameof(TlsSession)}: {e}");
            Connection.Abort();
        }
        finally
        {
            Connection.Socket.IsInline = false;
            Sessions.Remove(this);
        }

        if (!isForServer) return;

        // What the server does for it may take long, and others wait on this thread.
        await Task.Yield();
        await server(Connection);
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
