using System.Collections;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyIngress.Proxy.Forwarding.Http1;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Clients.Http1;

/// <summary>
/// One plain request and its response, as the pipeline sees requests of any kind. A connection has one only while a request is under way; afterwards
/// it serves another one, of whichever connection.
/// </summary>
internal sealed class ClientExchange :
    IFeatureCollection, IHttpRequestFeature, IHttpResponseFeature, IHttpResponseBodyFeature, IHttpRequestLifetimeFeature, IHttpConnectionFeature,
    IHttpRequestBodyDetectionFeature
{
    /// <summary>Of those that wait for a request, for each thread.</summary>
    private const int Kept = 64;

    [ThreadStatic]
    private static Stack<ClientExchange>? _free;

    private readonly PlainRequest _plain = new();
    private readonly RequestFields _requestFields;
    private readonly ResponseOutput _output;
    private readonly DefaultHttpContext _context = new();
    private readonly Action _goOn;
    private readonly List<(Func<object, Task> Callback, object State)> _starting = [];
    private readonly List<(Func<object, Task> Callback, object State)> _completed = [];
    private Dictionary<Type, object>? _added;
    private Stream? _outputStream;
    private ClientSession _session = null!;
    private PlainSession? _toTell;
    private ProxyRequest? _request;
    private Task _serving = Task.CompletedTask;
    private bool _isOver;
    private bool _isWhole;

    private ClientExchange()
    {
        (_requestFields, _output) = (new(_plain), new(this));
        _goOn = () => _toTell!.Served(this);
        _context.Initialize(this);
    }

    public HttpContext Context => _context;

    public ClientConnection Connection => _session.Connection;

    public ResponseFields ResponseFields { get; } = new();

    /// <summary>The connection ends after the response.</summary>
    public bool Closes { get; set; }

    /// <summary>All of the response was written, and the connection may serve another request.</summary>
    public bool LeavesConnection => _isWhole && !Closes && !Connection.IsBroken;

    public string Protocol { get; set; } = HttpProtocol.Http11;

    public string Scheme { get; set; } = "http";

    public string Method { get; set; } = "";

    public string PathBase { get; set; } = "";

    public string Path { get; set; } = "";

    public string QueryString { get; set; } = "";

    public string RawTarget { get; set; } = "";

    public bool CanHaveBody => false;

    public int StatusCode { get; set; }

    public string? ReasonPhrase { get; set; }

    public bool HasStarted => _output.HasStarted;

    public PipeWriter Writer => _output;

    public Stream Stream => _outputStream ??= _output.AsStream(leaveOpen: true);

    public CancellationToken RequestAborted
    {
        get => Connection.ConnectionClosed;
        set => throw new NotSupportedException();
    }

    public string ConnectionId
    {
        get => Connection.ConnectionId;
        set => throw new NotSupportedException();
    }

    public IPAddress? RemoteIpAddress { get; set; }

    public int RemotePort { get; set; }

    public IPAddress? LocalIpAddress
    {
        get => (Connection.LocalEndPoint as IPEndPoint)?.Address;
        set => throw new NotSupportedException();
    }

    public int LocalPort
    {
        get => (Connection.LocalEndPoint as IPEndPoint)?.Port ?? 0;
        set => throw new NotSupportedException();
    }

    public bool IsReadOnly => false;

    public int Revision { get; private set; }

    Stream IHttpRequestFeature.Body { get; set; } = Stream.Null;

    Stream IHttpResponseFeature.Body
    {
        get => Stream;
        set => throw new NotSupportedException();
    }

    IHeaderDictionary IHttpRequestFeature.Headers
    {
        get => _requestFields;
        set => throw new NotSupportedException();
    }

    IHeaderDictionary IHttpResponseFeature.Headers
    {
        get => ResponseFields;
        set => throw new NotSupportedException();
    }

    public object? this[Type key]
    {
        get => _added?.GetValueOrDefault(key) ?? (key.IsInstanceOfType(this) ? this : Connection.Features[key]);
        set
        {
            Revision++;
            if (value is null) _added?.Remove(key);
            else (_added ??= [])[key] = value;
        }
    }

    /// <summary>One for the next request of a connection.</summary>
    public static ClientExchange Rent(ClientSession session)
    {
        var exchange = _free is { Count: > 0 } free ? free.Pop() : new();
        exchange._session = session;
        return exchange;
    }

    /// <summary>After the last use: with nothing under way that knows it.</summary>
    public void Return()
    {
        if (_starting.Count > 0) _starting.Clear();
        if (_completed.Count > 0) _completed.Clear();
        if (_added is not null)
        {
            (_added, Revision) = (null, Revision + 1);
            _context.Uninitialize();
            _context.Initialize(this);
        }

        _requestFields.Reset();
        ResponseFields.Reset();
        (_session, _toTell, _request, _serving) = (null!, null, null, Task.CompletedTask);
        var free = _free ??= new(Kept);
        if (free.Count < Kept) free.Push(this);
    }

    /// <summary>Reads a request from what its client sent; only when it is complete there is one to be served.</summary>
    public ParseStep Read(ReadOnlyMemory<byte> data)
    {
        var step = _plain.Read(data);
        if (step == ParseStep.Complete) Begin();
        return step;
    }

    /// <summary>Serves it. False: that takes longer, and the session is told when it is over.</summary>
    public bool TryServe(ProxyPipeline pipeline, PlainSession toTell)
    {
        Serve(pipeline);
        if (_serving.IsCompleted) return true;

        _toTell = toTell;
        _serving.GetAwaiter().UnsafeOnCompleted(_goOn);
        return false;
    }

    /// <summary>Serves it and ends it. It does not fail.</summary>
    public async ValueTask ServeAsync(ProxyPipeline pipeline)
    {
        Serve(pipeline);
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!TryEnd(pipeline)) await EndAsync(pipeline);
    }

    /// <summary>What is done when it was served, with whatever is left of the response. False: <see cref="EndAsync(ProxyPipeline)"/> does it.</summary>
    public bool TryEnd(ProxyPipeline pipeline)
    {
        if (_completed.Count > 0 || !pipeline.TryEnd(_request!, _serving)) return false;

        _request = null;
        try
        {
            EndOutput();
            return _output.TryFlushLast();
        }
        catch (Exception)
        {
            // It is met again there.
            return false;
        }
    }

    /// <summary>The same where something is to be waited for or went wrong. It does not fail.</summary>
    public async Task EndAsync(ProxyPipeline pipeline)
    {
        try
        {
            try
            {
                if (_request is not null) await pipeline.EndAsync(_request, _serving);
                await EndAsync();
            }
            catch (Exception)
            {
                // The pipeline has told of it, where it is worth telling.
                await BreakOffAsync();
            }
        }
        catch (Exception)
        {
            // The client has left, or gets no more of this.
        }
    }

    /// <summary>Bytes of the request, which stay where they are until the response is over.</summary>
    public int RequestSize => _plain.Size;

    public TFeature? Get<TFeature>()
    {
        if (_added is null && this is TFeature own) return own;
        return (TFeature?)this[typeof(TFeature)];
    }

    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() => (_added ?? []).Concat(Connection.Features).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void OnStarting(Func<object, Task> callback, object state) => _starting.Add((callback, state));

    public void OnCompleted(Func<object, Task> callback, object state) => _completed.Add((callback, state));

    public void Abort() => Connection.Abort();

    public void DisableBuffering()
    {
    }

    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        _output.Start();
        return Task.CompletedTask;
    }

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);

    /// <summary>Sends what is left of the response; nothing where it was called before.</summary>
    public async Task CompleteAsync()
    {
        if (!_isOver) await EndAsync();
    }

    /// <summary>Before the head is written. Whoever wants to change it then must not wait for anything, since everybody else would.</summary>
    public void RunStarting()
    {
        for (var i = _starting.Count - 1; i >= 0; i--)
        {
            var (callback, state) = _starting[i];
            if (!callback(state).IsCompletedSuccessfully) throw new InvalidOperationException("what is done when a response starts has failed, or waits");
        }

        Closes |= _session.IsStopping;
    }

    /// <summary>Unix time, for whom a response says nothing else.</summary>
    public long Seconds => _session.Seconds;

    /// <summary>Sends what is left of the response.</summary>
    private async ValueTask EndAsync()
    {
        EndOutput();
        await _output.FlushLastAsync();
        for (var i = _completed.Count - 1; i >= 0; i--) await _completed[i].Callback(_completed[i].State);
    }

    /// <summary>The pipeline failed: the client gets what can still be told.</summary>
    private ValueTask BreakOffAsync()
    {
        Closes = true;
        if (HasStarted)
        {
            _isOver = true;
            return EndAsync();
        }

        ResponseFields.Reset();
        (StatusCode, ReasonPhrase) = (StatusCodes.Status500InternalServerError, null);
        return EndAsync();
    }

    private void Serve(ProxyPipeline pipeline)
    {
        _request = pipeline.Begin(_context);
        _serving = pipeline.Serve(_request);
    }

    private void EndOutput()
    {
        if (_isOver) return;

        _isWhole = _output.End();
        _isOver = true;
        Closes |= !_isWhole;
    }

    private void Begin()
    {
        (Method, Path, QueryString, RawTarget) = (_plain.Method, _plain.Path, _plain.Query, _plain.Target);
        (Protocol, Scheme, PathBase) = (HttpProtocol.Http11, _session.Scheme, "");
        (StatusCode, ReasonPhrase, Closes, _isOver, _isWhole) = (StatusCodes.Status200OK, null, _plain.SaysClose, false, false);
        var client = Connection.RemoteEndPoint as IPEndPoint;
        (RemoteIpAddress, RemotePort) = (client?.Address, client?.Port ?? 0);
        _output.Begin(_session.Output);
    }
}
