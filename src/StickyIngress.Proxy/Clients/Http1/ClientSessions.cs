using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using StickyIngress.Core;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Clients.Http1;

/// <summary>
/// The clients of one address whose requests are served here, see <see cref="ClientSession"/>. One timer ends those that were idle for too long, to within
/// its period.
/// </summary>
internal sealed class ClientSessions : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly PlacedList<ClientSession> _all = new();
    private readonly Channel<ClientConnection> _forServer = Channel.CreateUnbounded<ClientConnection>();
    private readonly TaskCompletionSource _allGone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Draining _draining;
    private readonly long _idleTime;
    private readonly ITimer _timer;
    private long _now;
    private volatile bool _isClosed;

    /// <param name="idleTime">How long a client may keep its connection without a request.</param>
    public ClientSessions(ProxyPipeline pipeline, Draining draining, TimeSpan idleTime, TimeProvider time, Clock clock)
    {
        (Pipeline, Clock, _draining, _idleTime, _now) = (pipeline, clock, draining, (long)idleTime.TotalMilliseconds, clock.Milliseconds);
        _timer = time.CreateTimer(static sessions => ((ClientSessions)sessions!).EndIdle(), this, Period, Period);
    }

    public ProxyPipeline Pipeline { get; }

    public Clock Clock { get; }

    /// <summary>Each response is the last of its connection.</summary>
    public bool IsStopping => _isClosed || _draining.IsOn;

    /// <summary>No more of them come, so who is idle is closed.</summary>
    public bool IsClosed => _isClosed;

    /// <summary>Until when a connection may be without a request that has none now: Unix milliseconds.</summary>
    public long IdleUntil => Volatile.Read(ref _now) + _idleTime;

    /// <summary>Serves a connection without TLS.</summary>
    public void Start(ClientConnection connection)
    {
        var session = new PlainSession(connection, this);
        Add(session);
        session.Run();
    }

    /// <summary>The server shakes hands first, and takes long to.</summary>
    public void StartTls(ClientConnection connection)
    {
        connection.Sessions = this;
        connection.Socket.ContinueOn = ContinueOn.BulkThread;
        GiveToServer(connection);
    }

    public void Add(ClientSession session)
    {
        lock (_gate) _all.Add(session);
    }

    /// <summary>The next connection that is for the server; null: there are no more.</summary>
    public async ValueTask<ConnectionContext?> NextForServerAsync(CancellationToken cancellationToken) =>
        await _forServer.Reader.WaitToReadAsync(cancellationToken) && _forServer.Reader.TryRead(out var connection) ? connection : null;

    /// <summary>Its request is for the server, and all that come after it.</summary>
    public void LeaveToServer(ClientSession session)
    {
        Remove(session);
        GiveToServer(session.Connection);
    }

    /// <summary>It is over.</summary>
    public void Remove(ClientSession session)
    {
        lock (_gate)
        {
            _all.Remove(session);
            if (_isClosed && _all.Count == 0) _allGone.TrySetResult();
        }
    }

    /// <summary>No more connections come. Who is idle is closed at once, the others after their response, and when the token says so.</summary>
    public void Close(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _isClosed = true;
            if (_all.Count == 0) _allGone.TrySetResult();
        }

        _forServer.Writer.TryComplete();
        cancellationToken.UnsafeRegister(static sessions => ((ClientSessions)sessions!).AbortAll(), this);
        EndIdle(long.MaxValue);
    }

    /// <summary>Ends when all connections have.</summary>
    public async ValueTask DisposeAsync()
    {
        Close(CancellationToken.None);
        await _allGone.Task;
        await _timer.DisposeAsync();
    }

    private void EndIdle()
    {
        var now = Clock.Milliseconds;
        Volatile.Write(ref _now, now);
        EndIdle(now);
    }

    /// <summary>Whoever is ended goes on elsewhere, so the list stays as it is meanwhile.</summary>
    private void EndIdle(long now)
    {
        lock (_gate)
        {
            foreach (var session in _all.All) session.EndIfIdle(now);
        }
    }

    private void GiveToServer(ClientConnection connection)
    {
        if (!_forServer.Writer.TryWrite(connection)) _ = connection.DisposeAsync().AsTask();
    }

    private void AbortAll()
    {
        lock (_gate)
        {
            foreach (var session in _all.All) session.Connection.Abort();
        }
    }
}
