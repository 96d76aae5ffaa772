using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using StickyIngress.Proxy.Clients;

namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// What the server sends to a client: a flush hands it to the system at once, and ends when the system has taken it all. It holds a buffer only
/// while something is unsent.
/// </summary>
internal sealed class ClientOutput(ClientConnection connection, SendWatch watch) : ClientWriter
{
    /// <summary>What a piece of memory has at least that nobody named a size for.</summary>
    private const int LeastSize = 256;

    private byte[] _bytes = [];
    private int _start;
    private int _end;
    private int _isCanceled;

    /// <summary>Null: it never had to be waited for.</summary>
    private SendLimit? _limit;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _end - _start;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Provide(sizeHint);
        return _bytes.AsMemory(_end);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        Provide(sizeHint);
        return _bytes.AsSpan(_end);
    }

    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)(_bytes.Length - _end), nameof(bytes));
        _end += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        TryFlush(out var result) ? new(result) : WaitAsync(cancellationToken);

    /// <summary>Hands to the system what nothing follows for now, see <see cref="LoopSocket.SendSoon"/>; false: not all of it.</summary>
    public override bool TryFlushSoon() => TrySend(soon: true);

    /// <summary>The same, and ends when it has taken all.</summary>
    public override ValueTask<FlushResult> FlushSoonAsync() =>
        TryFlush(out var result, soon: true) ? new(result) : WaitAsync(default);

    public override void CancelPendingFlush()
    {
        Volatile.Write(ref _isCanceled, 1);
        connection.Socket.WakeWriter();
    }

    /// <summary>What is unsent then is sent by <see cref="EndAsync"/>.</summary>
    public override void Complete(Exception? exception = null)
    {
    }

    /// <summary>Nobody writes any more: sends what was written and not flushed.</summary>
    public async ValueTask EndAsync()
    {
        while (!TrySend()) await WaitAsync(default);
        _limit?.Dispose();
    }

    /// <summary>False: it is to be waited for.</summary>
    private bool TryFlush(out FlushResult result, bool soon = false)
    {
        var isCanceled = _isCanceled != 0 && Interlocked.Exchange(ref _isCanceled, 0) != 0;
        var isSent = TrySend(soon);
        result = new(isCanceled, isCompleted: connection.IsBroken);
        return isSent || isCanceled;
    }

    /// <summary>False: the system takes no more for now.</summary>
    private bool TrySend(bool soon = false)
    {
        try
        {
            while (_start < _end && !connection.IsBroken)
            {
                var unsent = _bytes.AsSpan(_start.._end);
                var count = soon ? connection.Socket.SendSoon(unsent) : connection.Socket.Send(unsent);
                if (count == 0) return false;
                _start += count;
            }

            if (!soon && !connection.IsBroken && !connection.Socket.TryFlush()) return false;
        }
        catch (Exception e) when (LoopSocket.IsFailure(e))
        {
            connection.Broken(e);
        }

        Clear();
        return true;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> WaitAsync(CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(static socket => ((LoopSocket)socket!).WakeWriter(), connection.Socket);
        _limit ??= new(watch, connection.Abort);
        try
        {
            while (true)
            {
                _limit.Begin();
                await connection.Socket.WritableAsync();
                cancellationToken.ThrowIfCancellationRequested();
                if (TryFlush(out var result)) return result;
            }
        }
        finally
        {
            _limit.End();
        }
    }

    private void Provide(int sizeHint)
    {
        var least = Math.Max(sizeHint, LeastSize);
        if (_bytes.Length - _end >= least) return;

        // What is there already is large enough to leave by itself.
        if (_end - _start >= ReceiveBuffer.MaxSize - LeastSize) TrySend();

        var unsent = _bytes.AsSpan(_start, _end - _start);
        var larger = BufferPool.Rent(Math.Max(unsent.Length + least, _bytes.Length == 0 ? BufferPool.CommonSize : ReceiveBuffer.MaxSize));
        unsent.CopyTo(larger);
        if (_bytes.Length > 0) BufferPool.Return(_bytes);
        (_bytes, _start, _end) = (larger, 0, unsent.Length);
    }

    private void Clear()
    {
        if (_bytes.Length > 0) BufferPool.Return(_bytes);
        _bytes = [];
        _start = _end = 0;
    }
}
