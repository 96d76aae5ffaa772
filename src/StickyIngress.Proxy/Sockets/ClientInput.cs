using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// What a client sends, as the server reads it: received when it is asked for, into a buffer that is held only while something in it is unread.
/// </summary>
internal sealed class ClientInput(ClientConnection connection) : PipeReader, IValueTaskSource<ReadResult>
{
    /// <summary>How long a client may go on sending after the last response; nginx's <c>lingering_timeout</c>.</summary>
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(5);

    private readonly ReceiveBuffer _buffer = new();
    private ReadOnlySequence<byte> _given;
    private bool _isExamined = true;
    private bool _hasEnded;
    private int _isCanceled;
    private ManualResetValueTaskSourceCore<ReadResult> _read;

    public override bool TryRead(out ReadResult result)
    {
        var isCanceled = _isCanceled != 0 && Interlocked.Exchange(ref _isCanceled, 0) != 0;
        if (!isCanceled && _isExamined && !_hasEnded && !TryReceive())
        {
            result = default;
            return false;
        }

        _given = _buffer.IsEmpty ? default : new(_buffer.UnreadMemory);
        result = new(_given, isCanceled, _hasEnded);
        return true;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (TryRead(out var result)) return new(result);
        if (cancellationToken.CanBeCanceled) return WaitAsync(cancellationToken);

        _read.Reset();
        var reading = new ValueTask<ReadResult>(this, _read.Version);
        ReadOrWait();
        return reading;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_given.IsEmpty)
        {
            _isExamined = true;
            return;
        }

        _isExamined = _given.Slice(examined).IsEmpty;
        Consume((int)_given.Slice(0, consumed).Length);
    }

    /// <summary>So many bytes of what was read were used; what is left is to be read again.</summary>
    public void Use(int count)
    {
        Consume(count);
        _isExamined = _buffer.IsEmpty;
    }

    public override void CancelPendingRead()
    {
        Volatile.Write(ref _isCanceled, 1);
        connection.Socket.WakeReader();
    }

    public override void Complete(Exception? exception = null) => _buffer.Return();

    /// <summary>
    /// Before the connection is closed: with bytes unread the system would tell the client that it is broken, and what was sent last would be lost.
    /// So a client that is still sending gets the end of our side, and a while to come to its own.
    /// </summary>
    public async ValueTask LeaveAsync()
    {
        var socket = connection.Socket;
        try
        {
            if (!Discard()) return;

            socket.EndSending();
            using var limit = new Timer(static socket => ((LoopSocket)socket!).Dispose(), socket, Linger, Timeout.InfiniteTimeSpan);
            do await socket.ReadableAsync();
            while (Discard() || !_hasEnded);
        }
        catch (Exception e) when (LoopSocket.IsFailure(e))
        {
            // It has left, or took too long.
        }
        finally
        {
            _buffer.Return();
        }
    }

    /// <summary>Whether there was anything.</summary>
    private bool Discard()
    {
        var any = false;
        _buffer.Return();
        while (connection.Socket.TryReceive(_buffer.Free().Span, out var count))
        {
            if (count == 0)
            {
                _hasEnded = true;
                break;
            }

            any = true;
        }

        return any;
    }

    private void Consume(int count)
    {
        _buffer.Consume(count);
        if (_buffer is { IsEmpty: true, WasFilled: false }) _buffer.Return();
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _read.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _read.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, flags);

    /// <summary>Ends the read that is under way, now or, called again, when there is news; each idle connection has one, so it is no task of its own.</summary>
    private void ReadOrWait()
    {
        ReadResult result;
        try
        {
            while (!TryRead(out result))
            {
                if (connection.Socket.TryWaitToRead(static input => ((ClientInput)input!).ReadOrWait(), this)) return;
            }
        }
        catch (Exception e)
        {
            _read.SetException(e);
            return;
        }

        _read.SetResult(result);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> WaitAsync(CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(static socket => ((LoopSocket)socket!).WakeReader(), connection.Socket);
        while (true)
        {
            await connection.Socket.ReadableAsync();
            cancellationToken.ThrowIfCancellationRequested();
            if (TryRead(out var result)) return result;
        }
    }

    /// <summary>False: nothing has come.</summary>
    private bool TryReceive()
    {
        if (!connection.Socket.IsReadable) return false;

        try
        {
            if (_buffer.IsFull) throw new IOException($"{ReceiveBuffer.MaxSize} bytes were left unread");
            if (!connection.Socket.TryReceive(_buffer.Free().Span, out var count))
            {
                if (_buffer.IsEmpty) _buffer.Return();
                return false;
            }

            _buffer.Received(count);
            _hasEnded = count == 0;
            _isExamined = false;
            return true;
        }
        catch (Exception e) when (LoopSocket.IsFailure(e))
        {
            _hasEnded = true;
            throw connection.Broken(e);
        }
    }
}
