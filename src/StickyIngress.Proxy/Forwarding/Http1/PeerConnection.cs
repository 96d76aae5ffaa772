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
internal sealed class PeerConnection : IPlaced, IDisposable
{
    private const long Passed = -1;

    private readonly Socket _socket;
    private readonly ConnectionWatch _watch;

    /// <summary>Null: TLS, or there are no event loops here; then it is <see cref="_stream"/>.</summary>
    private readonly LoopSocket? _loop;

    private Stream? _stream;
    private ValueTask<int> _receiving;
    private bool _isReceiving;
    private int _end;
    private int _closed;
    private long _readDeadline;
    private long _sendDeadline;
    private long _readTimeout;

    public PeerConnection(in ConnectionKey key, Peer peer, Clock clock, ConnectionWatch watch)
    {
        (Key, Peer, Clock, _watch, OpenedAt) = (key, peer.State, clock, watch, clock.Milliseconds);
        var endPoint = peer.EndPoint;
        _socket = new(endPoint.AddressFamily, SocketType.Stream, endPoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        if (endPoint is IPEndPoint) _socket.NoDelay = true;
        if (key.Tls is null && EventLoop.IsSupported) _loop = new(_socket);
        Peer.ConnectionOpened();
        watch.Add(this);
    }

    public ConnectionKey Key { get; }

    /// <summary>Whose connection it counts as.</summary>
    public PeerState Peer { get; private set; }

    public Clock Clock { get; }

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

    /// <summary>Guarded by the lock of the <see cref="ConnectionWatch"/>.</summary>
    public int Place { get; set; }

    /// <summary>Nothing came since <see cref="BeginIdle"/>: no bytes that nobody asked for, and no end. To be asked by whoever owns it then.</summary>
    public bool IsQuiet
    {
        get
        {
            if (End != ConnectionEnd.None) return false;
            if (_loop is null) return _isReceiving && !_receiving.IsCompleted;

            try
            {
                return _loop.IsQuiet();
            }
            catch (ObjectDisposedException)
            {
                return false;
            }
        }
    }

    /// <summary>Where its events are handled, if an event loop sees them.</summary>
    public ContinueOn ContinueOn
    {
        set => _loop?.ContinueOn = value;
    }

    /// <summary>What a connection does when it breaks or is ended.</summary>
    public static bool IsFailure(Exception e) =>
        LoopSocket.IsFailure(e) || e is InvalidOperationException or AuthenticationException;

    /// <exception cref="SocketException">The peer cannot be reached.</exception>
    public async Task ConnectAsync(EndPoint endPoint, long timeout)
    {
        _readTimeout = timeout;
        BeginRead();
        if (_loop is not null) await _loop.ConnectAsync(endPoint);
        else _stream = await ConnectStreamAsync(endPoint);

        EndRead();
        _readTimeout = 0;
    }

    /// <summary>
    /// While it is idle it shows at once, and without a system call, when the peer closes it. A stream has to be asked for bytes for that; when it is
    /// used again the response comes into the buffer that lies ready.
    /// </summary>
    public void BeginIdle()
    {
        Output.Return();
        Input.Return();
        ContinueOn = ContinueOn.EventLoop;
        if (_loop is not null) return;

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

        Interlocked.CompareExchange(ref _readDeadline, Clock.Milliseconds + timeout, long.MaxValue);
    }

    /// <summary>Something else showed that the connection is in use, so the time of the read under way starts over, if it has begun.</summary>
    public void Touch()
    {
        var (deadline, timeout) = (Volatile.Read(ref _readDeadline), Volatile.Read(ref _readTimeout));
        if (deadline > 0 && timeout > 0) Interlocked.CompareExchange(ref _readDeadline, Clock.Milliseconds + timeout, deadline);
    }

    public void LiftReadLimit() => Volatile.Write(ref _readTimeout, 0);

    /// <summary>More bytes into <see cref="Input"/>; their number, 0: the peer sends no more.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReceiveAsync()
    {
        int count;
        while (!TryReceive(out count)) await ReceivableAsync();
        return count;
    }

    /// <summary>The same, of bytes that have come already; false: they are still to be waited for, by <see cref="ReceivableAsync"/>.</summary>
    public bool TryReceive(out int count)
    {
        count = 0;
        if (_loop is not null)
        {
            if (!_loop.IsReadable || !_loop.TryReceive(Input.Free().Span, out count)) return false;
        }
        else
        {
            if (!_isReceiving) StartReceiving();
            if (!_receiving.IsCompleted) return false;

            _isReceiving = false;
            count = _receiving.GetAwaiter().GetResult();
        }

        if (Volatile.Read(ref _readDeadline) != 0) EndRead();
        BytesReceived += count;
        Input.Received(count);
        return true;
    }

    /// <summary>Ends when <see cref="TryReceive"/>, which found nothing, is worth another try.</summary>
    public ValueTask ReceivableAsync()
    {
        if (Volatile.Read(ref _readDeadline) == 0) BeginRead();
        return _loop is not null ? _loop.ReadableAsync() : ReceivedAsync();
    }

    /// <param name="timeout">Milliseconds.</param>
    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes, long timeout) => SentAsync(bytes, _loop?.Send(bytes.Span) ?? 0, timeout);

    /// <summary>The same for a request that is whole; see <see cref="LoopSocket.SendSoon"/>.</summary>
    /// <param name="timeout">Milliseconds.</param>
    public ValueTask SendWholeAsync(ReadOnlyMemory<byte> bytes, long timeout) => SentAsync(bytes, _loop?.SendSoon(bytes.Span) ?? 0, timeout);

    /// <summary>So many of the bytes are on their way; ends when the others are too.</summary>
    private ValueTask SentAsync(ReadOnlyMemory<byte> bytes, int count, long timeout)
    {
        BytesSent += count;
        return count == bytes.Length ? default : SendRestAsync(bytes[count..], timeout);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendRestAsync(ReadOnlyMemory<byte> bytes, long timeout)
    {
        while (bytes.Length > 0)
        {
            var count = _loop?.Send(bytes.Span) ?? 0;
            if (count == 0)
            {
                Volatile.Write(ref _sendDeadline, Clock.Milliseconds + timeout);
                if (_loop is not null) await _loop.WritableAsync();
                else count = await SendAllAsync(bytes);
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
            if (_stream is SslStream tls) await tls.ShutdownAsync();
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
        if (Interlocked.CompareExchange(ref _end, (int)reason, 0) != 0) return;

        if (_loop is not null) _loop.Dispose();
        else _socket.Dispose();
    }

    /// <summary>Ends it and gives back what it holds; by its owner, with nothing under way.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0) return;

        Abort(ConnectionEnd.Done);
        _stream?.Dispose();
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
        _receiving = _stream!.ReadAsync(memory);
#pragma warning restore CA2012
        _isReceiving = true;
    }

    /// <summary>A receive may be awaited once, so what came of it is kept for <see cref="TryReceive"/>, a failure too.</summary>
    private async ValueTask ReceivedAsync()
    {
        try
        {
            _receiving = new(await _receiving);
        }
        catch (Exception e)
        {
            _receiving = new(Task.FromException<int>(e));
        }
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
        Volatile.Write(ref _readDeadline, timeout > 0 ? Clock.Milliseconds + timeout : long.MaxValue);

        // The limit may have been set between the two lines above, when there was no deadline yet to bring forward.
        if (timeout == 0 && Volatile.Read(ref _readTimeout) is > 0 and var since)
            Interlocked.CompareExchange(ref _readDeadline, Clock.Milliseconds + since, long.MaxValue);
    }

    private void EndRead()
    {
        if (Interlocked.Exchange(ref _readDeadline, 0) == Passed) Abort(ConnectionEnd.Timeout);
    }

    private async Task<Stream> ConnectStreamAsync(EndPoint endPoint)
    {
        await _socket.ConnectAsync(endPoint);
        var plain = new NetworkStream(_socket, ownsSocket: false);
        if (Key.Tls is not { } client) return plain;

        var tls = new SslStream(plain);
        _stream = tls;
        await tls.AuthenticateAsClientAsync(client.For(Key.ServerName));
        return tls;
    }

    private async ValueTask<int> SendAllAsync(ReadOnlyMemory<byte> bytes)
    {
        await _stream!.WriteAsync(bytes);
        return bytes.Length;
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
