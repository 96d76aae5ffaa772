using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyIngress.Proxy.Clients;
using StickyIngress.Proxy.Clients.Http1;
using StickyIngress.Proxy.Forwarding.Http1;

namespace StickyIngress.Proxy.Sockets;

/// <summary>A client's connection as the server knows connections, on an <see cref="EventLoop"/>.</summary>
internal sealed class ClientConnection :
    ConnectionContext, IDuplexPipe, IConnectionIdFeature, IConnectionItemsFeature, IConnectionLifetimeFeature, IConnectionTransportFeature, IMemoryPoolFeature
{
    private static long _lastId = Stopwatch.GetTimestamp();

    private readonly ClientInput _input;
    private readonly ClientOutput _output;
    private string? _id;
    private IFeatureCollection? _features;
    private IDictionary<object, object?>? _items;
    private CancellationTokenSource? _closed;
    private PeerConnection? _watcher;
    private Exception? _failure;
    private int _isOver;
    private volatile bool _outlivesInput;

    public ClientConnection(Socket socket, MemoryPool<byte> memory, SendWatch watch)
    {
        MemoryPool = memory;
        (LocalEndPoint, RemoteEndPoint) = (socket.LocalEndPoint, socket.RemoteEndPoint);
        (_input, _output) = (new(this), new(this, watch));
        Transport = this;
        Socket = new(socket)
        {
            Ended = () =>
            {
                if (!OutlivesInput) Over();
            },
        };
    }

    /// <summary>Null: the request came over a connection of another kind.</summary>
    public static ClientConnection? Of(HttpContext context) =>
        context.Features is ClientExchange exchange ? exchange.Connection : context.Features.Get<ClientConnection>();

    public LoopSocket Socket { get; }

    /// <summary>Which serve it once hands were shaken; null: it is without TLS.</summary>
    public ClientSessions? Sessions { get; set; }

    /// <summary>The client may send no more and wait for the rest, as after an upgrade; else it has left when it sends no more.</summary>
    public bool OutlivesInput
    {
        get => _outlivesInput;
        set => _outlivesInput = value;
    }

    public override IFeatureCollection Features => _features ??= ConnectionFeatures.Of(this);

    public override IDuplexPipe Transport { get; set; }

    /// <summary>Made for who asks: most requests are over without it.</summary>
    public override CancellationToken ConnectionClosed
    {
        get => (_closed ?? MakeClosed()).Token;
        set => throw new NotSupportedException();
    }

    public override EndPoint? LocalEndPoint { get; set; }

    public override EndPoint? RemoteEndPoint { get; set; }

    public override string ConnectionId
    {
        get => _id ??= Interlocked.Increment(ref _lastId).ToString("X");
        set => _id = value;
    }

    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    public MemoryPool<byte> MemoryPool { get; }

    public PipeReader Input => _input;

    public PipeWriter Output => _output;

    /// <summary>Nothing can be sent any more.</summary>
    public bool IsBroken => Volatile.Read(ref _failure) is not null;

    /// <summary>The client sends no more, or the connection is over.</summary>
    public bool HasLeft => Volatile.Read(ref _isOver) != 0 || Socket.HasEnded;

    public override void Abort(ConnectionAbortedException abortReason)
    {
        Interlocked.CompareExchange(ref _failure, abortReason, null);
        Socket.Dispose();
        Over();
    }

    public override void Abort() => Abort(new ConnectionAbortedException());

    /// <summary>It failed, for the first reason that is given, which is returned as the server expects it.</summary>
    public Exception Broken(Exception e)
    {
        Interlocked.CompareExchange(ref _failure, e as ConnectionAbortedException ?? (Exception)new ConnectionResetException(e.Message, e), null);
        Over();
        return _failure;
    }

    public override async ValueTask DisposeAsync()
    {
        await _output.EndAsync();
        Over();
        if (!IsBroken) await _input.LeaveAsync();
        Socket.Dispose();
        await base.DisposeAsync();
    }

    /// <summary>Ends a peer's connection as soon as this one is over; one at a time.</summary>
    public void Watch(PeerConnection peer)
    {
        Interlocked.Exchange(ref _watcher, peer);
        if (Volatile.Read(ref _isOver) != 0) EndWatcher();
    }

    /// <summary>False where the peer's connection was ended, or is about to be.</summary>
    public bool TryUnwatch(PeerConnection peer) => Interlocked.CompareExchange(ref _watcher, null, peer) == peer;

    private void EndWatcher() => Interlocked.Exchange(ref _watcher, null)?.Abort(ConnectionEnd.ClientLeft);

    private CancellationTokenSource MakeClosed()
    {
        var made = new CancellationTokenSource();
        if (Interlocked.CompareExchange(ref _closed, made, null) is { } known) return known;

        // Whoever told of the end may not have seen it.
        if (Volatile.Read(ref _isOver) != 0) made.Cancel();
        return made;
    }

    /// <summary>Tells everybody who watches the connection; who has its token elsewhere, since that may take long.</summary>
    private void Over()
    {
        if (Interlocked.Exchange(ref _isOver, 1) != 0) return;

        EndWatcher();
        if (Volatile.Read(ref _closed) is not null) ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.Tell(), this, preferLocal: false);
    }

    private void Tell()
    {
        try
        {
            _closed!.Cancel();
        }
        catch (AggregateException e)
        {
            // Of the server, or of whatever it called; nobody else may suffer for it.
            Trace.TraceError($"{nameof(ClientConnection)}: {e}");
        }
    }
}
