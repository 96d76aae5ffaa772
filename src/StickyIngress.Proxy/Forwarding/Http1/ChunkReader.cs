using System.Buffers;
using System.Globalization;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>Takes the chunks of a body apart (RFC 9112, section 7.1), strictly: CRLF everywhere, and sizes that fit 63 bits.</summary>
internal sealed class ChunkReader
{
    private const int MaxSizeLine = 4096;
    private const int MaxTrailers = 64;
    private const int MaxSizeDigits = 16;

    private static readonly SearchValues<byte> Digits = SearchValues.Create("0123456789abcdefABCDEF"u8);

    private Part _part;
    private int _scanned;
    private int _trailerBytes;
    private long _left;

    private enum Part
    {
        Size,
        Data,
        DataEnd,
        Trailer,
        End,
    }

    public void Begin() => (_part, _scanned, _trailerBytes, _left) = (Part.Size, 0, 0, 0);

    /// <summary>One step on.</summary>
    /// <param name="data">What is unread.</param>
    /// <param name="consumed">How much of it is done with.</param>
    /// <param name="body">How much of the rest belongs to the body; the caller uses it all before the next step.</param>
    /// <param name="response">Gets the trailers.</param>
    public ParseStep Step(ReadOnlySpan<byte> data, out int consumed, out int body, Http1Response response)
    {
        consumed = body = 0;
        while (true)
        {
            var step = _part switch
            {
                Part.Size => ReadSize(data[consumed..], ref consumed),
                Part.DataEnd => ReadDataEnd(data[consumed..], ref consumed),
                Part.Trailer => ReadTrailer(data[consumed..], ref consumed, response),
                _ => ParseStep.Complete,
            };
            if (step != ParseStep.Complete || _part == Part.End) return step;
            if (_part != Part.Data) continue;

            body = (int)Math.Min(_left, data.Length - consumed);
            _left -= body;
            if (_left == 0) _part = Part.DataEnd;
            return ParseStep.NeedsMore;
        }
    }

    private ParseStep ReadSize(ReadOnlySpan<byte> data, ref int consumed)
    {
        var found = FieldLine.Find(data, ref _scanned, out var length);
        if (found == ParseStep.NeedsMore && data.Length > MaxSizeLine) return ParseStep.Invalid;
        if (found != ParseStep.Complete) return found;
        if (length > MaxSizeLine || !TryParseSize(data[..length], out _left)) return ParseStep.Invalid;

        consumed += length + 2;
        _part = _left > 0 ? Part.Data : Part.Trailer;
        return ParseStep.Complete;
    }

    private static bool TryParseSize(ReadOnlySpan<byte> line, out long size)
    {
        var digits = line.IndexOfAnyExcept(Digits);
        var extension = digits < 0 ? default : line[digits..].TrimStart(" \t"u8);
        if (digits < 0) digits = line.Length;
        size = 0;
        if (digits is 0 or > MaxSizeDigits) return false;
        if (digits < line.Length && (extension is not [(byte)';', ..] || !FieldLine.IsText(extension))) return false;

        return long.TryParse(line[..digits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out size) && size >= 0;
    }

    private ParseStep ReadDataEnd(ReadOnlySpan<byte> data, ref int consumed)
    {
        if (data.Length > 0 && data[0] != '\r') return ParseStep.Invalid;
        if (data.Length < 2) return ParseStep.NeedsMore;
        if (data[1] != '\n') return ParseStep.Invalid;

        consumed += 2;
        _part = Part.Size;
        return ParseStep.Complete;
    }

    private ParseStep ReadTrailer(ReadOnlySpan<byte> data, ref int consumed, Http1Response response)
    {
        var found = FieldLine.Find(data, ref _scanned, out var length);
        if (found == ParseStep.NeedsMore && _trailerBytes + data.Length > ReceiveBuffer.MaxSize / 2) return ParseStep.Invalid;
        if (found != ParseStep.Complete) return found;

        consumed += length + 2;
        _trailerBytes += length + 2;
        if (length == 0)
        {
            _part = Part.End;
            return ParseStep.Complete;
        }

        if (_trailerBytes > ReceiveBuffer.MaxSize / 2 || response.Trailers.Count == MaxTrailers) return ParseStep.Invalid;
        if (!FieldLine.TryRead(data[..length], out var name, out var value)) return ParseStep.Invalid;

        response.AddTrailer(name, value);
        return ParseStep.Complete;
    }
}
