using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using StickyIngress.Proxy.Caching;

namespace StickyIngress.Proxy.Bodies;

/// <summary>Counts what goes to the client: a stream for those that need one, and a way around it for those that write to the server's pipe.</summary>
internal sealed class ResponseBody(HttpResponse response) : Stream
{
    private readonly Stream _inner = response.Body;

    /// <summary>Bytes so far.</summary>
    public long Count { get; private set; }

    /// <summary>Gets a copy of what is written; null: nobody.</summary>
    public CapturedBody? Capture { get; set; }

    /// <summary>The server's own buffer; what is put there is to be counted by <see cref="Written"/>.</summary>
    public PipeWriter Writer { get; } = response.BodyWriter;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => Count;
        set => throw new NotSupportedException();
    }

    public void Written(int count) => Count += count;

    /// <summary>Puts bytes into the server's buffer, to be flushed by the caller.</summary>
    public void Pass(ReadOnlySpan<byte> bytes)
    {
        Writer.Write(bytes);
        Count += bytes.Length;
        Capture?.Write(bytes);
    }

    /// <summary>The same as a chunk with its size before it (RFC 9112, section 7.1), where the server does not do that.</summary>
    public void PassChunk(ReadOnlySpan<byte> bytes)
    {
        Span<byte> size = stackalloc byte[8];
        bytes.Length.TryFormat(size, out var digits, "x");
        Writer.Write(size[..digits]);
        Writer.Write("\r\n"u8);
        Pass(bytes);
        Writer.Write("\r\n"u8);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Count += buffer.Length;
        Capture?.Write(buffer.Span);
        return _inner.WriteAsync(buffer, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count)
    {
        Count += count;
        Capture?.Write(buffer.AsSpan(offset, count));
        _inner.Write(buffer, offset, count);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => _inner.FlushAsync(cancellationToken);

    public override void Flush() => _inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
