using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// A socket whose events an <see cref="EventLoop"/> tells. It is read and written without waiting; one reader and one writer may wait at a time.
/// </summary>
internal sealed class LoopSocket(Socket socket) : IDisposable
{
    private readonly Readiness _reading = new(isReady: true);
    private readonly Readiness _writing = new(isReady: false);
    private readonly Lock _keeping = new();
    private volatile ContinueOn _continueOn;
    private volatile bool _hasEnded;
    private int _isClosed;
    private IOException? _failure;

    /// <summary>Taken to be sent soon, and not sent yet.</summary>
    private ReadOnlyMemory<byte> _kept;
    private volatile bool _isKeeping;

    /// <summary>For the loop: which socket in which slot.</summary>
    public ulong Token { get; set; }

    /// <summary>For the loop: itself; null: not connected yet.</summary>
    public EventLoop? Loop { get; set; }

    public SafeHandle Handle => socket.SafeHandle;

    /// <summary>Called once, on the loop's thread, when the other side sends no more.</summary>
    public Action? Ended { get; set; }

    /// <summary>Where who waits for an event goes on.</summary>
    public ContinueOn ContinueOn
    {
        get => _continueOn;
        set => _continueOn = value;
    }

    public bool IsClosed => Volatile.Read(ref _isClosed) != 0;

    /// <summary>The other side sends no more, once everything is read that it has sent.</summary>
    public bool HasEnded => _hasEnded;

    /// <summary>There may be something to receive, or the end.</summary>
    public bool IsReadable => _reading.IsReady;

    /// <summary>What a socket does when it breaks or was closed.</summary>
    public static bool IsFailure(Exception e) => e is SocketException or IOException or ObjectDisposedException;

    /// <summary>Its socket is connected already; after <see cref="Ended"/> was set.</summary>
    /// <exception cref="IOException">The system takes no more of them.</exception>
    public void Start()
    {
        try
        {
            Join(EventLoop.Next);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <exception cref="IOException">It cannot be connected.</exception>
    /// <exception cref="SocketException">The same.</exception>
    public async ValueTask ConnectAsync(EndPoint endPoint)
    {
        socket.Blocking = false;
        var isConnected = Epoll.Connect(socket.SafeHandle, endPoint.Serialize());
        Join(EventLoop.Nearest);
        if (isConnected) return;

        await _writing.WaitAsync();
        if (socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error) is int error && error != 0) throw new SocketException(error);
    }

    /// <summary>The next client of a socket that listens; null: there is none now. It may be asked without end.</summary>
    /// <exception cref="SocketException">The client has left already, or the system has no room.</exception>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public Socket? TryAccept()
    {
        _reading.TryTake();
        if (!socket.Poll(0, SelectMode.SelectRead)) return null;

        _reading.Tell(ContinueOn.ThreadPool);
        return socket.Accept();
    }

    /// <summary>What has come; false: nothing yet. 0: the other side sends no more.</summary>
    /// <exception cref="IOException">The connection is broken.</exception>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public bool TryReceive(Span<byte> buffer, out int count)
    {
        count = 0;
        if (!_reading.TryTake()) return false;

        if (IsClosed)
        {
            WakeReader();
            throw new ObjectDisposedException(nameof(LoopSocket));
        }

        if (_failure is not null) throw Failed();
        try
        {
            count = Epoll.Receive(socket.SafeHandle, buffer);
        }
        catch (IOException e)
        {
            // The system tells it once.
            _failure = e;
            throw Failed();
        }

        if (count < 0)
        {
            count = 0;
            return false;
        }

        // Only less than was asked for says that there is no more.
        if (count == buffer.Length || _hasEnded) _reading.Tell(ContinueOn.ThreadPool);
        return true;
    }

    /// <summary>Nothing came since the last read: no bytes that nobody asked for, and no end.</summary>
    public bool IsQuiet()
    {
        // Of what another thread's loop saw there may be no word yet.
        if (!_reading.TryTake() && Loop is { IsCurrent: true }) return true;

        Span<byte> one = stackalloc byte[1];
        try
        {
            if (Epoll.Receive(socket.SafeHandle, one, peek: true) < 0) return true;
        }
        catch (IOException e)
        {
            _failure = e;
        }

        _reading.Tell(ContinueOn.ThreadPool);
        return false;
    }

    /// <summary>Bytes that the system took; 0: none, for now.</summary>
    /// <exception cref="IOException">The connection is broken.</exception>
    public int Send(ReadOnlySpan<byte> bytes)
    {
        _writing.TryTake();
        return TryFlush() ? Epoll.Send(socket.SafeHandle, bytes) : 0;
    }

    /// <summary>
    /// The same for bytes that nothing follows for now, a request or the end of a response: on the loop's thread they are sent together with what its
    /// other sockets have to send. Whether that fails is not told here; who reads then finds the end.
    /// </summary>
    public int SendSoon(ReadOnlySpan<byte> bytes)
    {
        if (_isKeeping || Loop is not { IsCurrent: true } loop || !loop.Outbox.TryKeep(this, bytes, out var copy)) return Send(bytes);

        lock (_keeping) (_kept, _isKeeping) = (copy, true);
        return bytes.Length;
    }

    /// <summary>Sends what was to be sent soon; false: the system does not take all of it, for now.</summary>
    /// <exception cref="IOException">The connection is broken.</exception>
    public bool TryFlush()
    {
        if (!_isKeeping) return true;

        _writing.TryTake();
        lock (_keeping)
        {
            if (!_isKeeping) return true;

            var sent = _kept.Length;
            try
            {
                sent = Epoll.Send(socket.SafeHandle, _kept.Span);
            }
            finally
            {
                // The outbox uses its memory again.
                _isKeeping = sent < _kept.Length;
                _kept = _isKeeping ? _kept[sent..].ToArray() : default;
            }

            return !_isKeeping;
        }
    }

    /// <summary>The same where nobody waits for it who could be told of a failure.</summary>
    public void SendKept()
    {
        try
        {
            TryFlush();
        }
        catch (Exception e) when (IsFailure(e))
        {
            Break();
        }
    }

    /// <summary>Ends when a read is worth while, or when it is closed.</summary>
    public ValueTask ReadableAsync() => _reading.WaitAsync();

    /// <summary>The same for who needs no task: it goes on with <paramref name="then"/>. False: a read is worth while already.</summary>
    public bool TryWaitToRead(Action<object?> then, object state) => _reading.TryWait(then, state);

    /// <summary>Ends when the system takes more bytes, or when it is closed.</summary>
    public ValueTask WritableAsync() => _writing.WaitAsync();

    public void WakeReader() => _reading.Tell(ContinueOn.ThreadPool);

    public void WakeWriter() => _writing.Tell(ContinueOn.ThreadPool);

    /// <summary>What the loop saw.</summary>
    public void Happened(uint events)
    {
        var ends = !_hasEnded && (events & (Epoll.ReadHangUp | Epoll.HangUp | Epoll.Error)) != 0;
        if (ends) _hasEnded = true;
        if ((events & ~Epoll.Out) != 0) _reading.Tell(_continueOn);
        if ((events & ~(Epoll.In | Epoll.ReadHangUp)) != 0)
        {
            SendKept();
            _writing.Tell(_continueOn);
        }

        if (ends) Ended?.Invoke();
    }

    /// <summary>The other side gets no more, and may still send.</summary>
    /// <exception cref="SocketException">The connection is broken.</exception>
    public void EndSending()
    {
        SendKept();
        socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Closes it from any thread; who waits for it goes on and finds it closed.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) != 0) return;

        SendKept();
        Loop?.Remove(this);
        socket.Dispose();
        WakeReader();
        WakeWriter();
    }

    /// <summary>It is broken, for everybody who asks.</summary>
    private IOException Failed()
    {
        _reading.Tell(ContinueOn.ThreadPool);
        return new(_failure!.Message, _failure);
    }

    /// <summary>What has come may still be read, and then the end.</summary>
    private void Break()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (IsFailure(e))
        {
            // It is over already.
        }

        WakeReader();
        WakeWriter();
    }

    private void Join(EventLoop loop)
    {
        try
        {
            loop.Add(this);
        }
        finally
        {
            if (IsClosed) loop.Remove(this);
        }
    }
}
