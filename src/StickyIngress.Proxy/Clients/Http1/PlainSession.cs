using System.Diagnostics;
using System.IO.Pipelines;
using StickyIngress.Proxy.Forwarding.Http1;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Clients.Http1;

/// <summary>A session without TLS. While it is idle it has no task and no buffer.</summary>
internal sealed class PlainSession(ClientConnection connection, ClientSessions sessions) : ClientSession(connection, sessions)
{
    private readonly ClientInput _input = (ClientInput)connection.Input;

    public override ClientWriter Output { get; } = (ClientOutput)connection.Output;

    public override string Scheme => "http";

    /// <summary>Serves what has come, and then whatever comes.</summary>
    public void Run()
    {
        try
        {
            while (TryBegin() is { } exchange)
            {
                if (!exchange.TryServe(Sessions.Pipeline, this) || !TryEnd(exchange)) return;
            }
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    /// <summary>A request was served that was waited for.</summary>
    public void Served(ClientExchange exchange)
    {
        try
        {
            if (TryEnd(exchange)) Run();
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    /// <summary>Its reader wakes and finds it closed.</summary>
    protected override void EndIdle() => Connection.Socket.Dispose();

    /// <summary>The next request; null: there is none now, or none for us.</summary>
    private ClientExchange? TryBegin()
    {
        if (!TryEndIdle())
        {
            End();
            return null;
        }

        ReadResult received;
        while (!_input.TryRead(out received))
        {
            BeginIdle();
            if (Connection.Socket.TryWaitToRead(static session => ((PlainSession)session!).Run(), this)) return null;
            if (TryEndIdle()) continue;

            End();
            return null;
        }

        if (received.Buffer.IsEmpty)
        {
            End();
            return null;
        }

        var exchange = ClientExchange.Rent(this);
        if (exchange.Read(received.Buffer.First) == ParseStep.Complete) return exchange;

        exchange.Return();
        _input.AdvanceTo(received.Buffer.Start);
        Sessions.LeaveToServer(this);
        return null;
    }

    /// <summary>Ends a request that was served. False: the next one is not to be looked for now.</summary>
    private bool TryEnd(ClientExchange exchange)
    {
        if (exchange.TryEnd(Sessions.Pipeline)) return Finish(exchange);

        _ = EndAsync(exchange);
        return false;
    }

    /// <summary>The same where something has to be waited for or went wrong.</summary>
    private async Task EndAsync(ClientExchange exchange)
    {
        await exchange.EndAsync(Sessions.Pipeline);
        try
        {
            if (Finish(exchange)) Run();
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    private bool Finish(ClientExchange exchange)
    {
        var goesOn = exchange.LeavesConnection;
        _input.Use(exchange.RequestSize);
        exchange.Return();
        if (!goesOn) End();
        return goesOn;
    }

    /// <summary>Whoever called serves other clients too.</summary>
    private void Fail(Exception e)
    {
        if (!LoopSocket.IsFailure(e)) Trace.TraceError($"{nameof(PlainSession)}: {e}");
        End();
    }

    private void End() => _ = EndAsync();

    private async Task EndAsync()
    {
        try
        {
            await Connection.DisposeAsync();
        }
        finally
        {
            _input.Complete();
            Sessions.Remove(this);
        }
    }
}
