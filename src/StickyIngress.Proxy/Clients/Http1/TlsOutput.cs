using System.IO.Pipelines;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Clients.Http1;

/// <summary>What is sent over TLS: the server encrypts it.</summary>
internal sealed class TlsOutput(PipeWriter output) : ClientWriter
{
    private ValueTask<FlushResult> _flushing;

    public override bool CanGetUnflushedBytes => output.CanGetUnflushedBytes;

    public override long UnflushedBytes => output.UnflushedBytes;

    public override Memory<byte> GetMemory(int sizeHint = 0) => output.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => output.GetSpan(sizeHint);

    public override void Advance(int bytes) => output.Advance(bytes);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => output.FlushAsync(cancellationToken);

    public override void CancelPendingFlush() => output.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => output.Complete(exception);

    public override bool TryFlushSoon()
    {
#pragma warning disable CA2012 // it is awaited once, here or by FlushSoonAsync
        _flushing = output.FlushAsync();
#pragma warning restore CA2012
        if (!_flushing.IsCompletedSuccessfully) return false;

        _flushing.GetAwaiter().GetResult();
        _flushing = default;
        return true;
    }

    /// <summary>After <see cref="TryFlushSoon"/> what that began.</summary>
    public override ValueTask<FlushResult> FlushSoonAsync()
    {
        var begun = _flushing;
        _flushing = default;
        return begun == default ? output.FlushAsync() : begun;
    }
}
