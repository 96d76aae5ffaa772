using System.Text.Json;

namespace StickyIngress.Kubernetes.Reading;

/// <summary>Strings that many objects share (nodes, zones, namespaces, ports), each kept once. Not safe for several threads.</summary>
internal sealed class StringPool
{
    private const int LongestKept = 253;
    private const int MostKept = 20_000;

    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    public StringPool() => _lookup = _known.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The string that the reader stands on; null is the empty string.</summary>
    public string Read(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null) return "";

        var length = reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length;
        if (length > LongestKept) return reader.GetString() ?? "";

        Span<char> buffer = stackalloc char[LongestKept];
        var text = buffer[..reader.CopyString(buffer)];
        if (_lookup.TryGetValue(text, out var known)) return known;

        // Names of nodes come and go: forgetting all now and then costs a few duplicates, remembering all a leak.
        if (_known.Count >= MostKept) _known.Clear();
        var added = text.ToString();
        _known.Add(added);
        return added;
    }
}
