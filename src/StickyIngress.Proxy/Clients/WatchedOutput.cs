using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace StickyIngress.Proxy.Clients;

/// <summary>What the server sends by its own means, with a limit for how long it may wait for the client.</summary>
internal sealed class WatchedOutput(PipeWriter output, SendLimit limit) : PipeWriter
{
    public override bool CanGetUnflushedBytes => output.CanGetUnflushedBytes;

    public override long UnflushedBytes => output.UnflushedBytes;

    public override Memory<byte> GetMemory(int sizeHint = 0) => output.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => output.GetSpan(sizeHint);

    public override void Advance(int bytes) => output.Advance(bytes);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        var flushing = output.FlushAsync(cancellationToken);
        return flushing.IsCompleted ? flushing : WaitAsync(flushing);
    }

    public override void CancelPendingFlush() => output.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => output.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => output.CompleteAsync(exception);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> WaitAsync(ValueTask<FlushResult> flushing)
    {
        limit.Begin();
        try
        {
            return await flushing;
        }
        finally
        {
            limit.End();
        }
    }
}
