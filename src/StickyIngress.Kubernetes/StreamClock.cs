namespace StickyIngress.Kubernetes;

/// <summary>The patience of one round: cancels it when what was allowed has passed.</summary>
internal sealed class StreamClock(TimeProvider time, CancellationToken stopping) : IDisposable
{
    private readonly CancellationTokenSource _silence = new(Timeout.InfiniteTimeSpan, time);
    private CancellationTokenSource? _either;

    public CancellationToken Token =>
        (_either ??= CancellationTokenSource.CreateLinkedTokenSource(_silence.Token, stopping)).Token;

    public bool IsSilent => _silence.IsCancellationRequested;

    public void Allow(TimeSpan patience) => _silence.CancelAfter(patience);

    public void Dispose()
    {
        _either?.Dispose();
        _silence.Dispose();
    }
}
