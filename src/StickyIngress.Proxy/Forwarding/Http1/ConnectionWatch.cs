using StickyIngress.Core;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>
/// Watches all connections from one timer: ends what takes too long, and closes idle ones that are too old or that their peer has closed.
/// Deadlines are so kept to within <see cref="Period"/>, and an operation costs no timer of its own.
/// </summary>
internal sealed class ConnectionWatch : IDisposable
{
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly PlacedList<PeerConnection> _all = new();
    private readonly Clock _clock;
    private readonly ITimer _timer;
    private PeerConnection[] _seen = [];
    private int _running;

    public ConnectionWatch(TimeProvider time, Clock clock)
    {
        _clock = clock;
        _timer = time.CreateTimer(static watch => ((ConnectionWatch)watch!).Look(), this, Period, Period);
    }

    /// <summary>Connections that are open.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _all.Count;
        }
    }

    public void Add(PeerConnection connection)
    {
        lock (_gate) _all.Add(connection);
    }

    public void Remove(PeerConnection connection)
    {
        lock (_gate) _all.Remove(connection);
    }

    /// <summary>Closes what is idle and ends what is in use.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        foreach (var connection in Snapshot().ToArray())
        {
            if (connection.Idle.Pool is not { } pool || !pool.TryDrop(connection)) connection.Abort(ConnectionEnd.Done);
        }
    }

    private void Look()
    {
        if (Interlocked.Exchange(ref _running, 1) != 0) return;

        var now = _clock.Milliseconds;
        var connections = Snapshot();
        foreach (var connection in connections)
        {
            if (connection.Idle.Pool is { } pool) pool.TryDrop(connection, now);
            else connection.EndIfLate(now);
        }

        connections.Clear();
        Volatile.Write(ref _running, 0);
    }

    private Span<PeerConnection> Snapshot()
    {
        lock (_gate)
        {
            if (_seen.Length < _all.Count || _seen.Length > 4 * (_all.Count + 16)) _seen = new PeerConnection[_all.Count + (_all.Count / 2)];
            _all.CopyTo(_seen);
            return _seen.AsSpan(0, _all.Count);
        }
    }
}
