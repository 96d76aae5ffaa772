using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace StickyIngress.Proxy.Sockets;

/// <summary>A client's connection as the server knows connections, on an <see cref="EventLoop"/>.</summary>
internal sealed class ClientConnection :
    ConnectionContext, IDuplexPipe, IConnectionIdFeature, IConnectionItemsFeature, IConnectionLifetimeFeature, IConnectionTransportFeature, IMemoryPoolFeature
{
    private static long _lastId = Stopwatch.GetTimestamp();

    private readonly CancellationTokenSource _closed = new();
    private readonly ClientInput _input;
    private readonly ClientOutput _output;
    private string? _id;
    private IDictionary<object, object?>? _items;
    private Exception? _failure;
    private int _isOver;

    public ClientConnection(Socket socket, MemoryPool<byte> memory)
    {
        MemoryPool = memory;
        (LocalEndPoint, RemoteEndPoint) = (socket.LocalEndPoint, socket.RemoteEndPoint);
        (_input, _output) = (new(this), new(this));
        (Transport, ConnectionClosed) = (this, _closed.Token);
        Socket = new(socket) { Ended = Over };
        Features = ConnectionFeatures.Of(this);
    }

    public LoopSocket Socket { get; }

    public override IFeatureCollection Features { get; }

    public override IDuplexPipe Transport { get; set; }

    public override CancellationToken ConnectionClosed { get; set; }

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

    /// <summary>Tells everybody who watches the connection; elsewhere, since that may take long.</summary>
    private void Over()
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 0) ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.Tell(), this, preferLocal: false);
    }

    private void Tell()
    {
        try
        {
            _closed.Cancel();
        }
        catch (AggregateException e)
        {
            // Of the server, or of whatever it called; nobody else may suffer for it.
            Trace.TraceError($"{nameof(ClientConnection)}: {e}");
        }
    }
}
