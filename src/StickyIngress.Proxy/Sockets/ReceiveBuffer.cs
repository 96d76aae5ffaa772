namespace StickyIngress.Proxy.Sockets;

/// <summary>What came from a client or a peer and was not used yet, in one pooled piece. It holds no memory before its first use and after <see cref="Return"/>.</summary>
internal sealed class ReceiveBuffer
{
    /// <summary>Bytes of a response header's section at most; the buffer grows no further.</summary>
    public const int MaxSize = 64 * 1024;

    private byte[] _bytes = [];
    private int _start;
    private int _end;

    public ReadOnlySpan<byte> Unread => _bytes.AsSpan(_start, _end - _start);

    public bool IsEmpty => _start == _end;

    /// <summary>Nothing more fits.</summary>
    public bool IsFull => _end - _start >= MaxSize;

    /// <summary>The last piece took all the room there was, so more is to be expected.</summary>
    public bool WasFilled { get; private set; }

    public ReadOnlyMemory<byte> UnreadMemory => _bytes.AsMemory(_start, _end - _start);

    public void Consume(int count)
    {
        _start += count;
        if (_start == _end) _start = _end = 0;
    }

    /// <summary>Where the next bytes go. To be asked for only while not <see cref="IsFull"/>.</summary>
    public Memory<byte> Free()
    {
        if (_start > 0 && _end == _bytes.Length) Compact();
        if (_end == _bytes.Length || (WasFilled && IsEmpty && _bytes.Length < MaxSize))
            Resize(_bytes.Length == 0 ? BufferPool.CommonSize : MaxSize);

        return _bytes.AsMemory(_end);
    }

    public void Received(int count)
    {
        _end += count;
        WasFilled = _end == _bytes.Length;
    }

    public void Return()
    {
        if (_bytes.Length > 0) BufferPool.Return(_bytes);
        _bytes = [];
        _start = _end = 0;
        WasFilled = false;
    }

    private void Compact()
    {
        Unread.CopyTo(_bytes);
        (_start, _end) = (0, _end - _start);
    }

    private void Resize(int size)
    {
        var larger = BufferPool.Rent(size);
        Unread.CopyTo(larger);
        var count = _end - _start;
        if (_bytes.Length > 0) BufferPool.Return(_bytes);
        (_bytes, _start, _end) = (larger, 0, count);
    }
}
