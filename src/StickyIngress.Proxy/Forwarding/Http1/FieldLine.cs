using System.Buffers;
using System.Text;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>One line of a header or trailer section, read strictly: a token, a colon right behind it, and a value without control characters.</summary>
internal static class FieldLine
{
    private static readonly SearchValues<byte> Token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private static readonly SearchValues<byte> Controls =
        SearchValues.Create([.. Enumerable.Range(0, 32).Where(code => code != '\t').Select(code => (byte)code), 0x7f]);

    /// <summary>Finds the next line. An LF that no CR precedes is not the end of a line but a fault.</summary>
    /// <param name="from">Where to look from; moved on to what was not looked at yet.</param>
    /// <param name="length">Bytes of the line, which begins with the data, without its CRLF.</param>
    public static ParseStep Find(ReadOnlySpan<byte> data, ref int from, out int length)
    {
        length = 0;
        var found = data[from..].IndexOf((byte)'\n');
        if (found < 0)
        {
            from = data.Length;
            return ParseStep.NeedsMore;
        }

        length = from + found - 1;
        from = 0;
        return length >= 0 && data[length] == '\r' ? ParseStep.Complete : ParseStep.Invalid;
    }

    public static bool TryRead(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        name = default;
        var colon = line.IndexOfAnyExcept(Token);
        if (colon <= 0 || line[colon] != ':') return false;

        name = line[..colon];
        value = line[(colon + 1)..].Trim(" \t"u8);
        return IsText(value);
    }

    public static bool IsName(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExcept(Token);

    /// <summary>Writes a field that was read by <see cref="TryRead"/>.</summary>
    public static void Write(IBufferWriter<byte> writer, string name, string value)
    {
        Encoding.Latin1.GetBytes(name, writer);
        writer.Write(": "u8);
        Encoding.Latin1.GetBytes(value, writer);
        writer.Write("\r\n"u8);
    }

    /// <summary>Without control characters: no NUL, no bare CR.</summary>
    public static bool IsText(ReadOnlySpan<byte> text) => text.IndexOfAny(Controls) < 0;
}

internal enum ParseStep
{
    NeedsMore,
    Complete,
    Invalid,
}
