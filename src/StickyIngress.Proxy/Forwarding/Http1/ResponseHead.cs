using System.Buffers.Text;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>
/// Reads status line and headers as they arrive, a line at a time, and works out how the body is delimited (RFC 9112, section 6.3). Strict
/// where two readers could disagree: a response that leaves any doubt where it ends is not a response.
/// </summary>
internal sealed class ResponseHead
{
    private const int MaxHeaders = 256;
    private const int NoLength = -1;

    /// <summary>Bytes; a longer section is not kept.</summary>
    private const int MostKept = 1024;

    private Http1Response? _former;

    /// <summary>The section that the last response had, where another one may have the same.</summary>
    private byte[] _kept = [];
    private int _keptSize;
    private bool _hasBegun;
    private int _scanned;
    private bool _hasStatusLine;
    private bool _hasTransferEncoding;

    public Http1Response Response { get; private set; } = new(0);

    /// <summary>It is the response before once more, with the same <see cref="Response"/>.</summary>
    public bool IsAsBefore { get; private set; }

    /// <summary>Bytes of the section, once it is complete.</summary>
    public int Size { get; private set; }

    public int Status { get; private set; }

    /// <summary>Null: the usual one.</summary>
    public string? Reason { get; private set; }

    public bool IsHttp10 { get; private set; }

    /// <summary>What Content-Length says; -1: there is none.</summary>
    public long Length { get; private set; }

    public bool IsChunked => _hasTransferEncoding;

    public bool SaysClose { get; private set; }

    public bool SaysKeepAlive { get; private set; }

    /// <summary>
    /// Before a response. A connection's responses are often the same but for their bodies, so what the one before said stays until this one is
    /// seen to say something else, and then only to find the same text again.
    /// </summary>
    public void Begin()
    {
        (_hasBegun, IsAsBefore, Size) = (false, false, 0);
    }

    /// <param name="data">All that came since <see cref="Begin"/>.</param>
    public ParseStep Read(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return ParseStep.NeedsMore;

        if (!_hasBegun)
        {
            _hasBegun = true;
            if (_keptSize > 0 && data.StartsWith(_kept.AsSpan(0, _keptSize)))
            {
                (IsAsBefore, Size) = (true, _keptSize);
                return ParseStep.Complete;
            }

            Forget();
        }

        var step = ReadLines(data);
        if (step == ParseStep.Complete) Keep(data[..Size]);
        return step;
    }

    private void Forget()
    {
        if (Response.Count > 0) _former = Response;
        Response = new(_former?.Count ?? 16);
        (_keptSize, _scanned, Status, Length, Reason) = (0, 0, 0, NoLength, null);
        _hasStatusLine = _hasTransferEncoding = SaysClose = SaysKeepAlive = IsHttp10 = false;
    }

    /// <summary>Not where chunks follow, since their trailers are added to the response.</summary>
    private void Keep(ReadOnlySpan<byte> section)
    {
        if (section.Length > MostKept || IsChunked) return;

        if (_kept.Length < section.Length) _kept = new byte[section.Length];
        section.CopyTo(_kept);
        _keptSize = section.Length;
    }

    private ParseStep ReadLines(ReadOnlySpan<byte> data)
    {
        while (true)
        {
            var rest = data[Size..];
            if (!_hasStatusLine && !CouldBeHttp(rest)) return ParseStep.Invalid;

            var found = FieldLine.Find(rest, ref _scanned, out var length);
            if (found != ParseStep.Complete) return found;

            Size += length + 2;
            if (!_hasStatusLine)
            {
                if (!TryReadStatusLine(rest[..length])) return ParseStep.Invalid;
                _hasStatusLine = true;
            }
            else if (length == 0)
            {
                return IsSound() ? ParseStep.Complete : ParseStep.Invalid;
            }
            else if (!TryReadField(rest[..length]))
            {
                return ParseStep.Invalid;
            }
        }
    }

    /// <summary>So that something else than HTTP is not waited for.</summary>
    private static bool CouldBeHttp(ReadOnlySpan<byte> data)
    {
        var known = "HTTP/1."u8;
        var compared = Math.Min(known.Length, data.Length);
        return data[..compared].SequenceEqual(known[..compared]);
    }

    /// <summary>HTTP/1.x, three digits, and a reason that may be missing.</summary>
    private bool TryReadStatusLine(ReadOnlySpan<byte> line)
    {
        if (line.Length < 12 || !char.IsAsciiDigit((char)line[7]) || line[8] != ' ') return false;
        if (!Utf8Parser.TryParse(line.Slice(9, 3), out int status, out var digits) || digits != 3 || line[9] is < (byte)'1' or > (byte)'9') return false;
        if (line.Length > 12 && line[12] != ' ') return false;

        IsHttp10 = line[7] == '0';
        Status = status;
        var reason = line.Length > 13 ? line[13..] : default;
        if (!FieldLine.IsText(reason)) return false;

        if (!reason.IsEmpty && !Ascii.Equals(reason, ReasonPhrases.GetReasonPhrase(status))) Reason = Encoding.Latin1.GetString(reason);
        return true;
    }

    private bool TryReadField(ReadOnlySpan<byte> line)
    {
        if (Response.Count == MaxHeaders || !FieldLine.TryRead(line, out var name, out var value)) return false;

        switch (name.Length)
        {
            case 14 when Ascii.EqualsIgnoreCase(name, "content-length"):
                if (!TryReadLength(value)) return false;
                break;
            case 17 when Ascii.EqualsIgnoreCase(name, "transfer-encoding"):
                if (_hasTransferEncoding || !Ascii.EqualsIgnoreCase(value, "chunked")) return false;
                _hasTransferEncoding = true;
                break;
            case 10 when Ascii.EqualsIgnoreCase(name, "connection"):
                ReadConnection(value);
                break;
        }

        Response.Add(name, value, _former);
        return true;
    }

    private bool TryReadLength(ReadOnlySpan<byte> value)
    {
        if (Length != NoLength || value.IsEmpty || value.IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0) return false;
        if (!Utf8Parser.TryParse(value, out long length, out var used) || used != value.Length) return false;

        Length = length;
        return true;
    }

    private void ReadConnection(ReadOnlySpan<byte> value)
    {
        foreach (var range in value.Split((byte)','))
        {
            var token = value[range].Trim(" \t"u8);
            if (Ascii.EqualsIgnoreCase(token, "close")) SaysClose = true;
            else if (Ascii.EqualsIgnoreCase(token, "keep-alive")) SaysKeepAlive = true;
        }
    }

    /// <summary>Both ways to delimit at once, or chunks from a server that does not know them, is how responses are smuggled.</summary>
    private bool IsSound() => !_hasTransferEncoding || (Length == NoLength && !IsHttp10);
}
