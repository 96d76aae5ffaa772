using System.Text;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>What is to be sent to a peer, in one pooled piece. It holds no memory before its first use and after <see cref="Return"/>.</summary>
internal sealed class SendBuffer
{
    private const int FirstSize = 16 * 1024;

    private byte[] _bytes = [];
    private int _start;
    private int _end;

    public int Count => _end - _start;

    public ReadOnlyMemory<byte> Unsent => _bytes.AsMemory(_start, _end - _start);

    /// <summary>All of it was sent; a piece may be on its way into the room behind it.</summary>
    public void Sent() => _start = _end;

    /// <summary>Starts over.</summary>
    public void Clear() => _start = _end = 0;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Space(bytes.Length));
        _end += bytes.Length;
    }

    /// <summary>Text of bytes, one character each.</summary>
    public void Write(string text)
    {
        _end += Encoding.Latin1.GetBytes(text, Space(text.Length));
    }

    public void Header(string name, string value)
    {
        var line = Space(name.Length + value.Length + 4);
        var end = Encoding.Latin1.GetBytes(name, line);
        ": "u8.CopyTo(line[end..]);
        end += 2;
        end += Encoding.Latin1.GetBytes(value, line[end..]);
        "\r\n"u8.CopyTo(line[end..]);
        _end += end + 2;
    }

    public void Header(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var line = Space(name.Length + value.Length + 4);
        name.CopyTo(line);
        ": "u8.CopyTo(line[name.Length..]);
        value.CopyTo(line[(name.Length + 2)..]);
        "\r\n"u8.CopyTo(line[(name.Length + value.Length + 2)..]);
        _end += name.Length + value.Length + 4;
    }

    public void Number(long value)
    {
        value.TryFormat(Space(20), out var written);
        _end += written;
    }

    /// <summary>Room for a piece of a body after what is there; without moving what is being sent.</summary>
    /// <param name="before">Bytes left free before it, for the piece's own head.</param>
    /// <param name="after">Bytes left free behind it.</param>
    public Memory<byte> Room(int before, int after)
    {
        if (_bytes.Length == 0) Space(1);
        return _bytes.AsMemory(Math.Min(_bytes.Length, _end + before)..Math.Max(_end + before, _bytes.Length - after));
    }

    /// <summary>Whether <see cref="Room"/> is worth a read.</summary>
    public bool HasRoom => _bytes.Length - _end >= 1024;

    /// <summary>The piece that was read into the room becomes part of what is to be sent.</summary>
    public void Append(int count) => _end += count;

    /// <summary>The same as a chunk: its size goes before it.</summary>
    /// <param name="before">As it was given to <see cref="Room"/>.</param>
    public void AppendChunk(int before, int count)
    {
        Span<byte> head = stackalloc byte[8];
        count.TryFormat(head, out var digits, "x");
        "\r\n"u8.CopyTo(head[digits..]);
        var size = digits + 2;
        if (Count == 0) _start = _end += before - size;
        else _bytes.AsSpan(_end + before, count).CopyTo(_bytes.AsSpan(_end + size));

        head[..size].CopyTo(_bytes.AsSpan(_end));
        _end += size + count;
        Write("\r\n"u8);
    }

    public void Return()
    {
        if (_bytes.Length > 0) BufferPool.Return(_bytes);
        _bytes = [];
        Clear();
    }

    private Span<byte> Space(int count)
    {
        if (_bytes.Length - _end < count)
        {
            var larger = BufferPool.Rent(Math.Max(FirstSize, 2 * (Count + count)));
            Unsent.Span.CopyTo(larger);
            (_end, _start) = (Count, 0);
            if (_bytes.Length > 0) BufferPool.Return(_bytes);
            _bytes = larger;
        }

        return _bytes.AsSpan(_end);
    }
}
