using StickyIngress.Proxy.Tries;

namespace StickyIngress.Proxy.Forwarding.Yarp;

/// <summary>
/// A connection for HTTP/1.1 on which SocketsHttpHandler sends a request once: what happens to a connection that breaks before it answers is decided
/// above, by nginx's rules.
/// </summary>
/*
 * Left alone, SocketsHttpHandler sends such a request again on another connection, up to three times, a POST too, and cannot be told not to. But it
 * does so only for an IOException. So as long as no byte of the response has come, the end of the connection is another exception here, which it
 * passes on. Whose response is awaited is known by the try in whose execution context the request is written.
 */
internal sealed class OnceStream(Stream inner) : Stream
{
    /// <summary>The try that writes; set by whoever sends a request.</summary>
    public static readonly AsyncLocal<PeerTry?> Writer = new();

    private PeerTry? _try;
    private volatile bool _awaiting;
    private volatile bool _ended;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Begin();
        _try?.BytesSent += buffer.Length;
        try
        {
            await inner.WriteAsync(buffer, cancellationToken);
        }
        catch (IOException e) when (_awaiting)
        {
            throw new PeerBrokeOffException(e);
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            if (read > 0)
            {
                _awaiting = false;
                _try?.BytesReceived += read;
            }
            else if (!buffer.IsEmpty) // without room nothing is read, and nothing said
            {
                _ended = true;
                if (_awaiting) throw new PeerBrokeOffException(null);
            }

            return read;
        }
        catch (IOException e) when (_awaiting)
        {
            throw new PeerBrokeOffException(e);
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Notes when another request begins to be written.</summary>
    private void Begin()
    {
        if (Writer.Value is not { } writer || writer == _try) return;

        writer.OnReusedConnection = _try is not null;
        _try = writer;
        _awaiting = true;
        if (_ended) throw new PeerBrokeOffException(null);
    }
}

/// <summary>The connection broke before the response began. Not an IOException, see <see cref="OnceStream"/>.</summary>
internal sealed class PeerBrokeOffException(Exception? inner) : Exception("the peer closed the connection before it answered", inner);
