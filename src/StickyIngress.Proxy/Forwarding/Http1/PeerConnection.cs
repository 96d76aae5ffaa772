using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using StickyIngress.Core;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>
/// One connection to a peer. One request owns it at a time; its deadlines are watched from outside by <see cref="ConnectionWatch"/>, so that
/// no operation needs a timer or a token of its own. Ending it makes whatever is under way fail at once.
/// </summary>
internal sealed class PeerConnection : IDisposable
{
    private const long Passed = -1;

    private readonly Socket _socket;
    private readonly Clock _clock;
    private readonly ConnectionWatch _watch;
    private SslStream? _tls;
    private ValueTask<int> _receiving;
    private bool _isReceiving;
    private bool _isInline;
    private int _end;
    private int _closed;
    private long _readDeadline;
    private long _sendDeadline;
    private long _readTimeout;

    public PeerConnection(in ConnectionKey key, Peer peer, Clock clock, ConnectionWatch watch)
    {
        (Key, Peer, _clock, _watch, OpenedAt) = (key, peer.State, clock, watch, clock.Milliseconds);
        var endPoint = peer.EndPoint;
        _socket = new(endPoint.AddressFamily, SocketType.Stream, endPoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        if (endPoint is IPEndPoint) _socket.NoDelay = true;
        Peer.ConnectionOpened();
        watch.Add(this);
    }

    public ConnectionKey Key { get; }

    /// <summary>Whose connection it counts as.</summary>
    public PeerState Peer { get; private set; }

    /// <summary>Unix milliseconds.</summary>
    public long OpenedAt { get; }

    /// <summary>Requests that it was used for.</summary>
    public int Requests { get; set; }

    public long BytesSent { get; private set; }

    public long BytesReceived { get; private set; }

    public ReceiveBuffer Input { get; } = new();

    public SendBuffer Output { get; } = new();

    public ResponseHead Head { get; } = new();

    public ChunkReader Chunks { get; } = new();

    /// <summary>Why we ended it; None: we did not.</summary>
    public ConnectionEnd End => (ConnectionEnd)Volatile.Read(ref _end);

    /// <summary>Where it is kept while idle.</summary>
    public IdleSlot Idle { get; } = new();

    /// <summary>Position in the list of the <see cref="ConnectionWatch"/>, whose lock guards it.</summary>
    public int WatchIndex { get; set; }

    /// <summary>Nothing came since <see cref="BeginIdle"/>: no bytes that nobody asked for, and no end. To be asked by whoever owns it then.</summary>
    public bool IsQuiet => End == ConnectionEnd.None && _isReceiving && !_receiving.IsCompleted;

    /// <summary>What a connection does when it breaks or is ended.</summary>
    public static bool IsFailure(Exception e) =>
        e is SocketException or IOException or ObjectDisposedException or InvalidOperationException or AuthenticationException;

    /// <exception cref="SocketException">The peer cannot be reached.</exception>
    public async Task ConnectAsync(EndPoint endPoint, long timeout)
    {
        _readTimeout = timeout;
        BeginRead();
        await _socket.ConnectAsync(endPoint);
        if (Key.Tls is { } client)
        {
            _tls = new(new NetworkStream(_socket, ownsSocket: false));
            await _tls.AuthenticateAsClientAsync(client.For(Key.ServerName));
        }

        EndRead();
        _readTimeout = 0;
        UseEventThread(true);
    }

    /// <summary>Whether its events are handled on the thread that sees them; never with TLS.</summary>
    public void UseEventThread(bool use)
    {
        if (_isInline == use || _tls is not null) return;

        _isInline = use;
        if (use) InlineSockets.Use(_socket);
        else InlineSockets.TryLeave(_socket);
    }

    /// <summary>
    /// Waits for bytes before anybody asks for them. While it is idle that shows at once, and without a system call, when the peer closes it; when it is
    /// used again the response comes into the buffer that lies ready.
    /// </summary>
    public void BeginIdle()
    {
        Output.Return();
        Input.Return();
        UseEventThread(true);
        try
        {
            StartReceiving();
        }
        catch (Exception e) when (IsFailure(e))
        {
            // It was ended just now, so it is not quiet.
        }
    }

    /// <summary>Now another peer's: two servers may have the same address.</summary>
    public void PassTo(PeerState peer)
    {
        if (peer == Peer) return;

        Peer.ConnectionClosed();
        peer.ConnectionOpened();
        Peer = peer;
    }

    /// <summary>From now on, time counts between two reads.</summary>
    /// <param name="timeout">Milliseconds.</param>
    public void LimitReads(long timeout)
    {
        Volatile.Write(ref _readTimeout, timeout);
        if (Volatile.Read(ref _readDeadline) == 0) return;

        Interlocked.CompareExchange(ref _readDeadline, _clock.Milliseconds + timeout, long.MaxValue);
    }

    /// <summary>Something else showed that the connection is in use, so the time of the read under way starts over.</summary>
    public void Touch()
    {
        var deadline = Volatile.Read(ref _readDeadline);
        if (deadline > 0) Interlocked.CompareExchange(ref _readDeadline, _clock.Milliseconds + _readTimeout, deadline);
    }

    public void LiftReadLimit() => Volatile.Write(ref _readTimeout, 0);

    /// <summary>More bytes into <see cref="Input"/>; their number, 0: the peer sends no more.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReceiveAsync()
    {
        if (TryReceive(out var count)) return count;
        if (!_isReceiving) StartReceiving(); // it could not be started just now, and this says why

        _isReceiving = false;
        BeginRead();
        count = await _receiving;
        EndRead();
        Took(count);
        return count;
    }

    /// <summary>The same, of bytes that have come already; false: they are still to be waited for, by <see cref="ReceiveAsync"/>.</summary>
    public bool TryReceive(out int count)
    {
        count = 0;
        try
        {
            if (!_isReceiving) StartReceiving();
        }
        catch (Exception e) when (IsFailure(e))
        {
            return false;
        }

        if (!_receiving.IsCompletedSuccessfully) return false;

        _isReceiving = false;
        count = _receiving.Result;
        Took(count);
        return true;
    }

    /// <param name="timeout">Milliseconds.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, long timeout)
    {
        while (bytes.Length > 0)
        {
            var sending = SendSomeAsync(bytes);
            int count;
            if (sending.IsCompletedSuccessfully)
            {
                count = sending.Result;
            }
            else
            {
                Volatile.Write(ref _sendDeadline, _clock.Milliseconds + timeout);
                count = await sending;
                if (Interlocked.Exchange(ref _sendDeadline, 0) == Passed) Abort(ConnectionEnd.Timeout);
            }

            BytesSent += count;
            bytes = bytes[count..];
        }
    }

    /// <summary>The peer gets no more, and may still answer.</summary>
    public async Task EndSendingAsync()
    {
        try
        {
            if (_tls is not null) await _tls.ShutdownAsync();
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (IsFailure(e))
        {
            // It is broken already, which the next read tells.
        }
    }

    /// <summary>Ends it from any thread, for the first reason that is given.</summary>
    public void Abort(ConnectionEnd reason)
    {
        if (Interlocked.CompareExchange(ref _end, (int)reason, 0) == 0) _socket.Dispose();
    }

    /// <summary>Ends it and gives back what it holds; by its owner, with nothing under way.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0) return;

        Abort(ConnectionEnd.Done);
        _tls?.Dispose();
        _watch.Remove(this);
        Peer.ConnectionClosed();
        Output.Return();
        if (_isReceiving && !_receiving.IsCompleted) _ = ReturnInputLaterAsync();
        else Input.Return();
    }

    /// <summary>Ends it where an operation takes too long.</summary>
    /// <param name="now">Unix milliseconds.</param>
    public void EndIfLate(long now)
    {
        if (IsLate(ref _readDeadline, now) || IsLate(ref _sendDeadline, now)) Abort(ConnectionEnd.Timeout);
    }

    /// <summary>Only an operation that is still the same one is late; whoever ends it between finds the mark.</summary>
    private static bool IsLate(ref long deadline, long now)
    {
        var at = Volatile.Read(ref deadline);
        return at > 0 && now >= at && Interlocked.CompareExchange(ref deadline, Passed, at) == at;
    }

    private void StartReceiving()
    {
        var memory = Input.Free();
#pragma warning disable CA2012 // it is awaited once, by the next ReceiveAsync or by Dispose
        _receiving = _tls is null ? _socket.ReceiveAsync(memory, SocketFlags.None) : _tls.ReadAsync(memory);
#pragma warning restore CA2012
        _isReceiving = true;
    }

    private void Took(int count)
    {
        BytesReceived += count;
        Input.Received(count);
    }

    /// <summary>The buffer is not ours to give away before the receive that was under way has ended.</summary>
    private async Task ReturnInputLaterAsync()
    {
        try
        {
            await _receiving;
        }
        catch (Exception e) when (IsFailure(e))
        {
            // It was ended, as it should be.
        }

        Input.Return();
    }

    private void BeginRead()
    {
        var timeout = Volatile.Read(ref _readTimeout);
        Volatile.Write(ref _readDeadline, timeout > 0 ? _clock.Milliseconds + timeout : long.MaxValue);

        // The limit may have been set between the two lines above, when there was no deadline yet to bring forward.
        if (timeout == 0 && Volatile.Read(ref _readTimeout) is > 0 and var since)
            Interlocked.CompareExchange(ref _readDeadline, _clock.Milliseconds + since, long.MaxValue);
    }

    private void EndRead()
    {
        if (Interlocked.Exchange(ref _readDeadline, 0) == Passed) Abort(ConnectionEnd.Timeout);
    }

    private ValueTask<int> SendSomeAsync(ReadOnlyMemory<byte> bytes)
    {
        if (_tls is null) return _socket.SendAsync(bytes, SocketFlags.None);

        var writing = _tls.WriteAsync(bytes);
        return writing.IsCompletedSuccessfully ? new(bytes.Length) : AllOfAsync(writing, bytes.Length);
    }

    private static async ValueTask<int> AllOfAsync(ValueTask writing, int length)
    {
        await writing;
        return length;
    }
}

/// <summary>A connection's place among the idle ones; guarded by the lock of the <see cref="ConnectionPool"/>.</summary>
internal sealed class IdleSlot
{
    /// <summary>Null: it is in use.</summary>
    public ConnectionPool? Pool { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long Until { get; set; }

    /// <summary>Its place by time of use.</summary>
    public LinkedListNode<PeerConnection>? Node { get; set; }

    /// <summary>The one with the same key that was kept before it.</summary>
    public PeerConnection? Below { get; set; }
}
