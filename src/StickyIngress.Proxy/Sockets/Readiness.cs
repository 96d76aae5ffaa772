using System.Threading.Tasks.Sources;

namespace StickyIngress.Proxy.Sockets;

/// <summary>Whether something may be done with a socket now, in one direction, and who waits for that: one at a time.</summary>
internal sealed class Readiness(bool isReady) : IValueTaskSource
{
    private const int Unknown = 0;
    private const int Ready = 1;
    private const int Waiting = 2;

    private ManualResetValueTaskSourceCore<bool> _wait;
    private int _state = isReady ? Ready : Unknown;

    public bool IsReady => Volatile.Read(ref _state) == Ready;

    /// <summary>Takes the news, before what they allow is tried: what comes meanwhile is news again.</summary>
    public bool TryTake() => Interlocked.Exchange(ref _state, Unknown) == Ready;

    /// <summary>There is news, and whoever waits for them goes on; on the event loop: here.</summary>
    public void Tell(ContinueOn where)
    {
        if (Interlocked.Exchange(ref _state, Ready) != Waiting) return;

        _wait.RunContinuationsAsynchronously = where == ContinueOn.ThreadPool;
        if (where == ContinueOn.BulkThread) BulkThreads.Queue(static readiness => ((Readiness)readiness!)._wait.SetResult(true), this);
        else _wait.SetResult(true);
    }

    /// <summary>Ends when there is news, which may be no more than that the socket was closed.</summary>
    public ValueTask WaitAsync()
    {
        _wait.Reset();
        return Interlocked.CompareExchange(ref _state, Waiting, Unknown) == Unknown ? new(this, _wait.Version) : default;
    }

    /// <summary>The same for who needs no task: it goes on with <paramref name="then"/>. False: there is news already.</summary>
    public bool TryWait(Action<object?> then, object state)
    {
        _wait.Reset();
        if (Interlocked.CompareExchange(ref _state, Waiting, Unknown) != Unknown) return false;

        _wait.OnCompleted(then, state, _wait.Version, ValueTaskSourceOnCompletedFlags.None);
        return true;
    }

    void IValueTaskSource.GetResult(short token) => _wait.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);
}
