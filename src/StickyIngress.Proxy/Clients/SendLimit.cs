using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Clients;

/// <summary>The time that a client has to take what is sent over one connection, or as one response. It is watched once it has been waited for.</summary>
/// <param name="end">Ends the connection or the response. Whoever waits must not go on within it.</param>
internal sealed class SendLimit(SendWatch watch, Action end) : IPlaced, IDisposable
{
    private const long NotWaiting = long.MaxValue;

    private readonly Lock _gate = new();
    private long _late = NotWaiting;
    private bool _isWatched;

    /// <summary>Guarded by the lock of the <see cref="SendWatch"/>.</summary>
    public int Place { get; set; }

    /// <summary>It is to be waited for, anew where it was before: the client has taken something.</summary>
    public void Begin()
    {
        lock (_gate) _late = watch.Late;
        if (_isWatched) return;

        _isWatched = true;
        watch.Add(this);
    }

    /// <summary>All was taken. Afterwards it is not ended any more, so that who is served next is not.</summary>
    public void End()
    {
        lock (_gate) _late = NotWaiting;
    }

    public bool IsLate(long now) => now >= Volatile.Read(ref _late);

    /// <param name="now">Unix milliseconds.</param>
    public void EndIfLate(long now)
    {
        lock (_gate)
        {
            if (!IsLate(now)) return;

            _late = NotWaiting;
            end();
        }
    }

    public void Dispose()
    {
        End();
        if (_isWatched) watch.Remove(this);
        _isWatched = false;
    }
}
