using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Clients.Http1;

/// <summary>
/// Serves the plain requests of a client's connection, one after the other, on the thread that sees them come. With the first request that is not plain
/// the connection is left to the server, for good. While it is idle it has no timer of its own.
/// </summary>
internal abstract class ClientSession(ClientConnection connection, ClientSessions sessions) : IPlaced
{
    private const long Busy = 0;
    private const long Ended = -1;

    private long _idleUntil;

    public ClientConnection Connection => connection;

    /// <summary>Where responses go.</summary>
    public abstract ClientWriter Output { get; }

    public abstract string Scheme { get; }

    /// <summary>The answer under way shall be the connection's last.</summary>
    public bool IsStopping => Sessions.IsStopping;

    /// <summary>Unix time.</summary>
    public long Seconds => Sessions.Clock.Seconds;

    /// <summary>Guarded by the lock of the <see cref="ClientSessions"/>.</summary>
    public int Place { get; set; }

    protected ClientSessions Sessions => sessions;

    /// <summary>Ends it if it waits for a request, at least until that time.</summary>
    /// <param name="now">Unix milliseconds.</param>
    public void EndIfIdle(long now)
    {
        var until = Volatile.Read(ref _idleUntil);
        if (until <= Busy || until > now) return;

        if (Interlocked.CompareExchange(ref _idleUntil, Ended, until) == until) EndIdle();
    }

    /// <summary>It begins to wait for a request.</summary>
    protected void BeginIdle()
    {
        Volatile.Write(ref _idleUntil, Sessions.IdleUntil);
        if (Sessions.IsClosed) EndIfIdle(long.MaxValue);
    }

    /// <summary>It waits no more; false: it was ended meanwhile.</summary>
    protected bool TryEndIdle() => Interlocked.Exchange(ref _idleUntil, Busy) != Ended;

    /// <summary>Wakes what waits for a request, which finds that it was ended.</summary>
    protected abstract void EndIdle();
}
