using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Clients.Http1;

/// <summary>
/// A response on its way to the client (RFC 9112, section 6): the head is put before the first of the body, so that both leave in one piece, and
/// the body is delimited as the headers say, or in chunks where they say nothing.
/// </summary>
internal sealed class ResponseOutput(ClientExchange exchange) : PipeWriter
{
    /// <summary>Room for a chunk's size, four digits and CRLF, and for the CRLF behind it.</summary>
    private const int BeforeChunk = 6;
    private const int AfterChunk = 2;
    private const int LargestChunk = 0xffff;

    /// <summary>What a piece of memory has at least that nobody named a size for.</summary>
    private const int LeastSize = 256;

    private ClientWriter _client = null!;
    private Framing _framing;
    private long _left;
    private byte[] _dropped = [];

    private enum Framing
    {
        /// <summary>What is written is the body, of a length that the headers say.</summary>
        Length,

        /// <summary>Whoever writes makes chunks of it.</summary>
        OwnChunks,

        Chunks,

        /// <summary>There is none; what is written is for nobody.</summary>
        Dropped,
    }

    public bool HasStarted { get; private set; }

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _client.UnflushedBytes;

    /// <summary>Before a response.</summary>
    public void Begin(ClientWriter client)
    {
        (_client, HasStarted, _left) = (client, false, 0);
    }

    /// <summary>Puts the head into the output, once.</summary>
    public void Start()
    {
        if (HasStarted) return;

        exchange.RunStarting();
        HasStarted = true;
        var headers = exchange.ResponseFields;
        headers.IsReadOnly = true;
        _framing = ChooseFraming(headers);
        WriteHead(headers);
    }

    /// <summary>The response is over: what is missing of it is written. False: what was written is not what was announced, and cannot be mended.</summary>
    public bool End()
    {
        if (!HasStarted)
        {
            var headers = exchange.ResponseFields;
            if (HasBody && headers.ContentLength is null && !headers.ContainsKey(HeaderNames.TransferEncoding)) headers.ContentLength = 0;
            Start();
        }

        if (_framing == Framing.Chunks) _client.Write("0\r\n\r\n"u8);
        if (_dropped.Length > 0) ArrayPool<byte>.Shared.Return(_dropped);
        _dropped = [];
        return _framing != Framing.Length || _left == 0;
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Start();
        var size = Math.Max(sizeHint, LeastSize);
        if (_framing == Framing.Dropped) return Drop(size);
        if (_framing != Framing.Chunks) return _client.GetMemory(size);

        var memory = _client.GetMemory(Math.Min(size, LargestChunk) + BeforeChunk + AfterChunk);
        return memory[BeforeChunk..Math.Min(memory.Length - AfterChunk, BeforeChunk + LargestChunk)];
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        if (_framing == Framing.Dropped || bytes == 0) return;

        if (_framing == Framing.Length)
        {
            if (bytes > _left) throw new InvalidOperationException($"the body is longer than the Content-Length, by {bytes - _left} bytes");
            _left -= bytes;
            _client.Advance(bytes);
        }
        else if (_framing == Framing.OwnChunks)
        {
            _client.Advance(bytes);
        }
        else
        {
            AdvanceChunk(bytes);
        }
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        Start();
        return _client.FlushAsync(cancellationToken);
    }

    /// <summary>After <see cref="End"/>; false: the system takes no more of it for now.</summary>
    public bool TryFlushLast() => _client.TryFlushSoon();

    /// <summary>The same, and ends when the system has taken it.</summary>
    public ValueTask<FlushResult> FlushLastAsync() => _client.FlushSoonAsync();

    public override void CancelPendingFlush() => _client.CancelPendingFlush();

    /// <summary>The response ends when the request does.</summary>
    public override void Complete(Exception? exception = null)
    {
    }

    /// <summary>Of the response to HEAD the length is that of another one's body, so nothing is said of it that the peer did not say.</summary>
    private bool HasBody => !HttpMethods.IsHead(exchange.Method)
        && exchange.StatusCode is not (>= 100 and < 200 or StatusCodes.Status204NoContent or StatusCodes.Status304NotModified);

    private Framing ChooseFraming(ResponseFields headers)
    {
        if (!HasBody) return Framing.Dropped;
        if (headers.ContainsKey(HeaderNames.TransferEncoding)) return Framing.OwnChunks;
        if (headers.ContentLength is not { } length) return Framing.Chunks;

        _left = length;
        return Framing.Length;
    }

    private void AdvanceChunk(int bytes)
    {
        var chunk = _client.GetSpan(BeforeChunk + bytes + AfterChunk);
        bytes.TryFormat(chunk, out var digits, "x");
        if (digits + 2 < BeforeChunk) chunk.Slice(BeforeChunk, bytes).CopyTo(chunk[(digits + 2)..]);
        "\r\n"u8.CopyTo(chunk[digits..]);
        "\r\n"u8.CopyTo(chunk[(digits + 2 + bytes)..]);
        _client.Advance(digits + 2 + bytes + AfterChunk);
    }

    private Memory<byte> Drop(int size)
    {
        if (_dropped.Length < size)
        {
            if (_dropped.Length > 0) ArrayPool<byte>.Shared.Return(_dropped);
            _dropped = ArrayPool<byte>.Shared.Rent(size);
        }

        return _dropped;
    }

    private void WriteHead(ResponseFields headers)
    {
        if (exchange.StatusCode == StatusCodes.Status200OK && exchange.ReasonPhrase is null) _client.Write("HTTP/1.1 200 OK\r\n"u8);
        else _client.Write($"HTTP/1.1 {exchange.StatusCode} {exchange.ReasonPhrase ?? ReasonPhrases.GetReasonPhrase(exchange.StatusCode)}\r\n");

        var hasDate = headers.Passed?.HasDate == true;
        if (headers.Passed is not null) _client.Write(headers.Passed.Lines);
        foreach (var (name, values) in headers.Further)
        {
            hasDate |= name.Length == 4 && name.Equals(HeaderNames.Date, StringComparison.OrdinalIgnoreCase);
            if (name.Equals(HeaderNames.Connection, StringComparison.OrdinalIgnoreCase)) exchange.Closes |= SaysClose(values);
            else WriteField(name, values);
        }

        if (!hasDate) _client.Write(HttpDate.Line(exchange.Seconds));
        if (_framing == Framing.Chunks) _client.Write("Transfer-Encoding: chunked\r\n"u8);
        if (exchange.Closes) _client.Write("Connection: close\r\n"u8);
        _client.Write("\r\n"u8);
    }

    private void WriteField(string name, in StringValues values)
    {
        for (var i = 0; i < values.Count; i++)
        {
            var value = values[i] ?? "";
            var line = _client.GetSpan(name.Length + value.Length + 4);
            var end = Encoding.Latin1.GetBytes(name, line);
            ": "u8.CopyTo(line[end..]);
            end += 2;
            end += Encoding.Latin1.GetBytes(value, line[end..]);
            "\r\n"u8.CopyTo(line[end..]);
            _client.Advance(end + 2);
        }
    }

    private static bool SaysClose(in StringValues values) => values.Equals("close");
}
