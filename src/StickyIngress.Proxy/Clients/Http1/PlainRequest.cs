using System.Buffers;
using System.Text;
using StickyIngress.Proxy.Forwarding.Http1;

namespace StickyIngress.Proxy.Clients.Http1;

/// <summary>
/// The head of a request that is plain: HTTP/1.1, no body, nothing that two readers could take in two ways. It is left where it was received, and
/// text is made of what is asked for. What is not plain is not judged here but left to the server, which knows all there is to know.
/// </summary>
internal sealed class PlainRequest
{
    /// <summary>Bytes of a head, below all limits of the server.</summary>
    private const int LargestHead = 8 * 1024;

    /// <summary>The server takes as many.</summary>
    private const int MaxFields = 100;

    /// <summary>What may be in a path that means what it says, without decoding.</summary>
    private static readonly SearchValues<byte> PathBytes =
        SearchValues.Create("!$&'()*+,-./0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"u8);

    private static readonly SearchValues<byte> QueryBytes =
        SearchValues.Create("!$%&'()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz{|}~"u8);

    /// <summary>Of a name or an IPv4 address.</summary>
    private static readonly SearchValues<byte> HostBytes =
        SearchValues.Create("-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"u8);

    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

    private RequestField[] _fields = new RequestField[16];
    private ReadOnlyMemory<byte> _data;
    private string _target = "";
    private bool _hasHost;

    public string Method { get; private set; } = "GET";

    /// <summary>Path and query.</summary>
    public string Target => _target;

    public string Path { get; private set; } = "/";

    /// <summary>With its question mark; empty where there is none.</summary>
    public string Query { get; private set; } = "";

    /// <summary>The client wants no other response on this connection.</summary>
    public bool SaysClose { get; private set; }

    /// <summary>The request says that its body is empty.</summary>
    public bool SaysEmpty { get; private set; }

    /// <summary>Bytes of the head.</summary>
    public int Size { get; private set; }

    public int Count { get; private set; }

    public ReadOnlySpan<RequestField> Fields => _fields.AsSpan(0, Count);

    /// <param name="data">What came and was not used; it stays where it is until the request is over.</param>
    public ParseStep Read(ReadOnlyMemory<byte> data)
    {
        (_data, Size, Count) = (data, 0, 0);
        (SaysClose, SaysEmpty, _hasHost) = (false, false, false);
        var bytes = data.Span[..Math.Min(data.Length, LargestHead)];
        while (true)
        {
            var rest = bytes[Size..];
            var from = 0;
            var found = FieldLine.Find(rest, ref from, out var length);
            if (found != ParseStep.Complete) return found;

            var line = rest[..length];
            if (Size > 0 && length == 0)
            {
                Size += 2;
                return _hasHost ? ParseStep.Complete : ParseStep.Invalid;
            }

            if (Size == 0 ? !TryReadLine(line) : !TryReadField(line)) return ParseStep.Invalid;
            Size += length + 2;
        }
    }

    public ReadOnlySpan<byte> Name(in RequestField field) => _data.Span.Slice(field.Start, field.NameLength);

    public ReadOnlySpan<byte> Value(in RequestField field) => _data.Span.Slice(field.ValueStart, field.ValueLength);

    /// <summary>The value as text of bytes, one character each; made once.</summary>
    public string ValueText(int index)
    {
        ref var field = ref _fields[index];
        return field.Text ??= Encoding.Latin1.GetString(Value(field));
    }

    /// <summary>The next one of that name, from a position on; -1: there is none.</summary>
    public int Find(string name, int from = 0)
    {
        for (var i = from; i < Count; i++)
        {
            if (_fields[i].NameLength == name.Length && Ascii.EqualsIgnoreCase(_fields[i].Name, name)) return i;
        }

        return -1;
    }

    private bool TryReadLine(ReadOnlySpan<byte> line)
    {
        if (!line.EndsWith(" HTTP/1.1"u8)) return false;

        var space = line.IndexOf((byte)' ');
        if (!TryReadMethod(line[..space])) return false;

        var target = line[(space + 1)..^" HTTP/1.1".Length];
        if (target.IsEmpty || target[0] != '/') return false;
        if (Ascii.Equals(target, _target)) return true;

        var path = target.IndexOf((byte)'?') is >= 0 and var mark ? target[..mark] : target;
        if (path.ContainsAnyExcept(PathBytes) || path.IndexOf("/."u8) >= 0 || target[path.Length..].ContainsAnyExcept(QueryBytes)) return false;

        _target = Encoding.ASCII.GetString(target);
        Path = path.Length == target.Length ? _target : _target[..path.Length];
        Query = _target[path.Length..];
        return true;
    }

    private bool TryReadMethod(ReadOnlySpan<byte> method)
    {
        if (Ascii.Equals(method, Method)) return true;

        foreach (var known in Methods)
        {
            if (!Ascii.Equals(method, known)) continue;
            Method = known;
            return true;
        }

        return false;
    }

    private bool TryReadField(ReadOnlySpan<byte> line)
    {
        if (Count == MaxFields || !FieldLine.TryRead(line, out var name, out var value) || !IsPlain(name, value)) return false;

        if (Count == _fields.Length) Array.Resize(ref _fields, 2 * Count);
        ref var field = ref _fields[Count++];

        // Most requests have the names that others had, and some of the values.
        if (field.Name is null || !Ascii.Equals(name, field.Name)) field = RequestField.Of(name);
        if (field.Text is not null && !Ascii.Equals(value, field.Text)) field.Text = null;
        (field.Start, field.ValueLength) = (Size, value.Length);
        field.ValueStart = Size + name.Length + 1 + line[(name.Length + 1)..].IndexOfAnyExcept(" \t"u8);
        if (value.IsEmpty) field.ValueStart = Size;
        return true;
    }

    /// <summary>Whether it leaves the request plain.</summary>
    private bool IsPlain(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        switch (name.Length)
        {
            case 4 when Ascii.EqualsIgnoreCase(name, "host"):
                if (_hasHost) return false;
                _hasHost = true;
                return IsPlainHost(value);
            case 6 when Ascii.EqualsIgnoreCase(name, "expect"):
            case 7 when Ascii.EqualsIgnoreCase(name, "upgrade"):
            case 17 when Ascii.EqualsIgnoreCase(name, "transfer-encoding"):
                return false;
            case 14 when Ascii.EqualsIgnoreCase(name, "content-length"):
                if (SaysEmpty) return false;
                SaysEmpty = true;
                return value.SequenceEqual("0"u8);
            case 10 when Ascii.EqualsIgnoreCase(name, "connection"):
                var closes = Ascii.EqualsIgnoreCase(value, "close");
                SaysClose |= closes;
                return closes || Ascii.EqualsIgnoreCase(value, "keep-alive");
            default:
                return true;
        }
    }

    /// <summary>With a port or without.</summary>
    private static bool IsPlainHost(ReadOnlySpan<byte> host)
    {
        var length = host.IndexOf((byte)':');
        if (length >= 0)
        {
            var port = host[(length + 1)..];
            if (port.IsEmpty || port.ContainsAnyExceptInRange((byte)'0', (byte)'9')) return false;
            host = host[..length];
        }

        return !host.IsEmpty && !host.ContainsAnyExcept(HostBytes);
    }
}
