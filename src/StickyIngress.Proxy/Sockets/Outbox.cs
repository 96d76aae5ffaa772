namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// Small pieces that sockets of one <see cref="EventLoop"/> have to send, kept until the events at hand are told. Sent in a row they cost less:
/// who receives them is woken once for several, and the system's code is not fetched anew for each. For the loop's thread alone.
/// </summary>
internal sealed class Outbox
{
    /// <summary>Bytes; a larger piece is sent at once.</summary>
    private const int MostOfPiece = BufferPool.CommonSize;

    /// <summary>More pieces do not wait for each other.</summary>
    private const int Most = 32;

    private readonly byte[] _bytes = new byte[8 * MostOfPiece];
    private readonly LoopSocket?[] _sockets = new LoopSocket?[Most];
    private int _count;
    private int _end;

    /// <summary>Where the copy of the piece is until <see cref="Send"/>, which tells the socket. False: it is too large.</summary>
    public bool TryKeep(LoopSocket socket, ReadOnlySpan<byte> piece, out ReadOnlyMemory<byte> copy)
    {
        copy = default;
        if (piece.Length > MostOfPiece) return false;
        if (_count == Most || _bytes.Length - _end < piece.Length) Send();

        piece.CopyTo(_bytes.AsSpan(_end));
        copy = _bytes.AsMemory(_end, piece.Length);
        _end += piece.Length;
        _sockets[_count++] = socket;
        return true;
    }

    /// <summary>All of them, in the order in which they came.</summary>
    public void Send()
    {
        for (var i = 0; i < _count; i++)
        {
            _sockets[i]!.SendKept();
            _sockets[i] = null;
        }

        (_count, _end) = (0, 0);
    }
}
