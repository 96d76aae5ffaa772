using System.Diagnostics;
using System.IO.Pipelines;
using StickyIngress.Proxy.Forwarding.Http1;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Clients.Http1;

/// <summary>
/// Serves the plain requests of a client's connection, one after the other, on the thread that sees them come. With the first request that is not plain
/// the connection is left to the server, for good. While it is idle it has no task, no timer and no buffer.
/// </summary>
internal sealed class ClientSession(ClientConnection connection, ClientSessions sessions) : IPlaced
{
    private const long Busy = 0;
    private const long Ended = -1;

    private readonly ClientInput _input = (ClientInput)connection.Input;
    private long _idleUntil;

    public ClientConnection Connection => connection;

    /// <summary>The answer under way shall be the connection's last.</summary>
    public bool IsStopping => sessions.IsStopping;

    /// <summary>Unix time.</summary>
    public long Seconds => sessions.Clock.Seconds;

    /// <summary>Guarded by the lock of the <see cref="ClientSessions"/>.</summary>
    public int Place { get; set; }

    /// <summary>Serves what has come, and then whatever comes.</summary>
    public void Run()
    {
        try
        {
            while (TryBegin() is { } exchange)
            {
                if (!exchange.TryServe(sessions.Pipeline) || !TryEnd(exchange)) return;
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

    /// <summary>Ends it if it waits for a request, at least until that time.</summary>
    /// <param name="now">Unix milliseconds.</param>
    public void EndIfIdle(long now)
    {
        var until = Volatile.Read(ref _idleUntil);
        if (until <= Busy || until > now) return;

        // Its reader wakes and finds it closed.
        if (Interlocked.CompareExchange(ref _idleUntil, Ended, until) == until) connection.Socket.Dispose();
    }

    /// <summary>The next request; null: there is none now, or none for us.</summary>
    private ClientExchange? TryBegin()
    {
        if (Interlocked.Exchange(ref _idleUntil, Busy) == Ended)
        {
            End();
            return null;
        }

        ReadResult received;
        while (!_input.TryRead(out received))
        {
            Volatile.Write(ref _idleUntil, sessions.IdleUntil);
            if (sessions.IsClosed) EndIfIdle(long.MaxValue);
            if (connection.Socket.TryWaitToRead(static session => ((ClientSession)session!).Run(), this)) return null;
            if (Interlocked.Exchange(ref _idleUntil, Busy) != Ended) continue;

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
        sessions.LeaveToServer(this);
        return null;
    }

    /// <summary>Ends a request that was served. False: the next one is not to be looked for now.</summary>
    private bool TryEnd(ClientExchange exchange)
    {
        if (exchange.TryEnd(sessions.Pipeline)) return Finish(exchange);

        _ = EndAsync(exchange);
        return false;
    }

    /// <summary>The same where something has to be waited for or went wrong.</summary>
    private async Task EndAsync(ClientExchange exchange)
    {
        await exchange.EndAsync(sessions.Pipeline);
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
        if (!LoopSocket.IsFailure(e)) Trace.TraceError($"{nameof(ClientSession)}: {e}");
        End();
    }

    private void End() => _ = EndAsync();

    private async Task EndAsync()
    {
        try
        {
            await connection.DisposeAsync();
        }
        finally
        {
            _input.Complete();
            sessions.Remove(this);
        }
    }
}
