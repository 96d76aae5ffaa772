using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace StickyIngress.Proxy.Bodies;

/// <summary>
/// A request's body as the tries see it. It is streamed to the peer as it arrives, and what was read is kept, up to the route's
/// requestBuffer, so that another try can send it again. nginx waits for the whole body instead; the outcome is the same for bodies that
/// fit, without the wait.
/// </summary>
internal sealed class RequestBody(HttpContext context, TimeProvider time) : IDisposable
{
    /// <summary>How long the client may send nothing before it is answered: nginx's client_body_timeout.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);

    private ReplayStream? _replay;
    private bool? _hasBody;

    /// <summary>Nothing of the body is lost, so it can be sent from its start again.</summary>
    public bool CanReplay => _replay?.CanReplay ?? !HasBody;

    /// <summary>Not to be asked of a request that the server could not read.</summary>
    public bool HasBody => _hasBody ??= context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true };

    /// <summary>Why reading from the client failed; null: it did not.</summary>
    public Exception? ReadError => _replay?.Error;

    /// <summary>Reading failed for what the client sent, or did not send in time; else where it failed the client has left, of which there may be no word yet.</summary>
    public bool IsBad => ReadError is BadHttpRequestException;

    /// <summary>Bytes that tries have read, again and again where there were several.</summary>
    public long Passed => _replay?.Passed ?? 0;

    /// <summary>Called once, before the first try.</summary>
    public void Open(int keep)
    {
        if (!HasBody) return;

        _replay = new(context, time, keep);
        context.Request.Body = _replay;
    }

    /// <summary>False, or from now on the reason why reading failed: the try's time ran out while it waited for the client.</summary>
    public bool IsLate() => _replay?.IsLate() == true;

    /// <summary>The next try reads from the start.</summary>
    public void Rewind() => _replay?.Rewind();

    public void Dispose() => _replay?.ReturnBuffer();

    private sealed class ReplayStream(HttpContext context, TimeProvider time, int keep) : Stream
    {
        private readonly Stream _client = context.Request.Body;
        private byte[]? _kept;
        private int _count;
        private int _at;
        private bool _overflowed;
        private Task? _arrival;

        public Exception? Error { get; private set; }

        public bool CanReplay => !_overflowed && Error is null;

        public long Passed { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public void Rewind() => _at = 0;

        public void ReturnBuffer()
        {
            if (_kept is null) return;

            ArrayPool<byte>.Shared.Return(_kept);
            _kept = null;
            _overflowed = true;
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_at < _count)
            {
                var again = Math.Min(buffer.Length, _count - _at);
                _kept.AsSpan(_at, again).CopyTo(buffer.Span);
                _at += again;
                Passed += again;
                return again;
            }

            try
            {
                if (cancellationToken.CanBeCanceled) await ArrivesAsync(cancellationToken);
                var read = await _client.ReadAsync(buffer, CancellationToken.None);
                Keep(buffer.Span[..read]);
                Passed += read;
                return read;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Error = e;
                throw;
            }
        }

        public bool IsLate()
        {
            if (_arrival is not { IsCompleted: false }) return false;

            Error = Late();
            return true;
        }

        /// <summary>
        /// Waits until there is something to read. The server refuses every read after one that was cancelled, so a try that gives up leaves the
        /// one that waits to the next try. Once the client has begun to be answered, both may be silent for as long as the try lets them.
        /// </summary>
        private async ValueTask ArrivesAsync(CancellationToken cancellationToken)
        {
            _arrival ??= _client.ReadAsync(Memory<byte>.Empty, CancellationToken.None).AsTask();
            try
            {
                await _arrival.WaitAsync(Silence, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                if (!context.Response.HasStarted) throw Late();
                await _arrival.WaitAsync(cancellationToken);
            }

            _arrival = null;
        }

        private static BadHttpRequestException Late() => new("the client sent no more of its body", StatusCodes.Status408RequestTimeout);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        private void Keep(ReadOnlySpan<byte> read)
        {
            if (read.IsEmpty || _overflowed) return;

            if (_count + read.Length > keep)
            {
                ReturnBuffer();
                (_overflowed, _count, _at) = (true, 0, 0);
                return;
            }

            Grow(_count + read.Length);
            read.CopyTo(_kept.AsSpan(_count));
            _count += read.Length;
            _at = _count;
        }

        private void Grow(int size)
        {
            if (_kept is not null && _kept.Length >= size) return;

            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(size, Math.Min(keep, 4096)));
            _kept.AsSpan(0, _count).CopyTo(larger);
            if (_kept is not null) ArrayPool<byte>.Shared.Return(_kept);
            _kept = larger;
        }
    }
}
