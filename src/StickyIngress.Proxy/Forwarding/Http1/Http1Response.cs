using System.Buffers;
using System.Text;
using Microsoft.Net.Http.Headers;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>Headers and trailers of a response as they came, in order.</summary>
/// <param name="capacity">How many headers are expected.</param>
internal sealed class Http1Response(int capacity) : IPeerResponse
{
    private KeyValuePair<string, string>[] _headers = new KeyValuePair<string, string>[capacity];
    private FieldUse[] _uses = new FieldUse[capacity];
    private bool _hasFormerNames = true;
    private List<KeyValuePair<string, string>>? _trailers;
    private byte[]? _lines;

    public int Count { get; private set; }

    public ReadOnlySpan<KeyValuePair<string, string>> Headers => _headers.AsSpan(0, Count);

    public bool HasDate => Passes(HeaderNames.Date);

    /// <summary>The headers that are passed on, as they stand in a response; to be asked when all were added.</summary>
    public ReadOnlySpan<byte> Lines => _lines ??= WriteLines();

    public IReadOnlyList<KeyValuePair<string, string>> Trailers => _trailers is null ? [] : _trailers;

    public IEnumerable<string> SetCookies
    {
        get
        {
            for (var i = 0; i < Count; i++)
            {
                if (_headers[i].Key.Equals(HeaderNames.SetCookie, StringComparison.OrdinalIgnoreCase)) yield return _headers[i].Value;
            }
        }
    }

    /// <param name="former">The connection's response before, most of whose text comes again.</param>
    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, Http1Response? former)
    {
        if (Count == _headers.Length)
        {
            Array.Resize(ref _headers, Math.Max(16, 2 * Count));
            Array.Resize(ref _uses, _headers.Length);
        }

        var known = former is not null && Count < former.Count ? former._headers[Count] : default;
        var sameName = Same(known.Key, name);
        var text = sameName ?? HeaderNameTexts.Of(name);
        _hasFormerNames &= sameName is not null;
        _uses[Count] = _hasFormerNames ? former!._uses[Count] : JudgeUse(text);
        _headers[Count++] = new(text, Same(known.Value, value) ?? Encoding.Latin1.GetString(value));
    }

    /// <summary>What becomes of the header at that position.</summary>
    public FieldUse UseOf(int index) => _uses[index];

    /// <summary>Whether the client gets a header of that name.</summary>
    public bool Passes(string name)
    {
        for (var i = 0; i < Count; i++)
        {
            var known = _headers[i].Key;
            if (known.Length == name.Length && _uses[i] == FieldUse.Passed && known.Equals(name, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }

    public void AddTrailer(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        (_trailers ??= []).Add(new(HeaderNameTexts.Of(name), Encoding.Latin1.GetString(value)));

    public string? Header(string name) => Joined(Headers, name);

    public string? Trailer(string name) => _trailers is null ? null : Joined(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_trailers), name);

    private FieldUse JudgeUse(string name)
    {
        if (!HeaderRules.IsPassedToClient(name) || name.Equals(HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase)) return FieldUse.Withheld;

        foreach (var (earlier, _) in Headers)
        {
            if (earlier.Equals(name, StringComparison.OrdinalIgnoreCase)) return FieldUse.Repeated;
        }

        return FieldUse.Passed;
    }

    private byte[] WriteLines()
    {
        var lines = new ArrayBufferWriter<byte>();
        for (var i = 0; i < Count; i++)
        {
            if (_uses[i] != FieldUse.Withheld) FieldLine.Write(lines, _headers[i].Key, _headers[i].Value);
        }

        return lines.WrittenSpan.ToArray();
    }

    private static string? Same(string? known, ReadOnlySpan<byte> text) => known is not null && Ascii.Equals(text, known) ? known : null;

    private static string? Joined(ReadOnlySpan<KeyValuePair<string, string>> fields, string name)
    {
        string? joined = null;
        foreach (var (key, value) in fields)
        {
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase)) joined = joined is null ? value : $"{joined}, {value}";
        }

        return joined;
    }
}

/// <summary>What becomes of a response's header on its way to the client.</summary>
internal enum FieldUse : byte
{
    Passed,

    /// <summary>Passed beside one of the same name that came before it.</summary>
    Repeated,

    /// <summary>It ends here, or is told to the server in another way.</summary>
    Withheld,
}
