using System.Collections;

namespace StickyIngress.Api;

/// <summary>
/// A list that equals another with equal items, so that records with lists compare by value. The specs wrap whatever
/// they are given in it.
/// </summary>
internal sealed class ValueList<T>(T[] items) : IReadOnlyList<T>, IEquatable<ValueList<T>>
{
    public static ValueList<T> Empty { get; } = new([]);

    public int Count => items.Length;

    public T this[int index] => items[index];

    public bool Equals(ValueList<T>? other) => other is not null && items.AsSpan().SequenceEqual(other.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as ValueList<T>);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var item in items) hash.Add(item);
        return hash.ToHashCode();
    }

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private ReadOnlySpan<T> AsSpan() => items;
}

/// <summary>A small map that equals another with equal entries; an array sorted by key, since labels are few.</summary>
internal sealed class ValueMap : IReadOnlyDictionary<string, string>, IEquatable<ValueMap>
{
    private readonly KeyValuePair<string, string>[] _entries;

    public ValueMap(IEnumerable<KeyValuePair<string, string>> entries)
    {
        _entries = [.. entries];
        if (_entries.Length > 1) Array.Sort(_entries, static (a, b) => string.CompareOrdinal(a.Key, b.Key));
    }

    public static ValueMap Empty { get; } = new([]);

    public int Count => _entries.Length;

    public IEnumerable<string> Keys => _entries.Select(e => e.Key);

    public IEnumerable<string> Values => _entries.Select(e => e.Value);

    public string this[string key] => TryGetValue(key, out var value) ? value : throw new KeyNotFoundException(key);

    public bool ContainsKey(string key) => TryGetValue(key, out _);

    public bool TryGetValue(string key, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out string value)
    {
        foreach (var entry in _entries)
        {
            if (entry.Key != key) continue;
            value = entry.Value;
            return true;
        }

        value = null;
        return false;
    }

    public bool Equals(ValueMap? other) => other is not null && _entries.AsSpan().SequenceEqual(other._entries);

    public override bool Equals(object? obj) => Equals(obj as ValueMap);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var entry in _entries) hash.Add(entry);
        return hash.ToHashCode();
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() =>
        ((IEnumerable<KeyValuePair<string, string>>)_entries).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

internal static class ByValueExtensions
{
    public static IReadOnlyList<T> ByValue<T>(this IReadOnlyList<T> items) => items switch
    {
        ValueList<T> list => list,
        { Count: 0 } => ValueList<T>.Empty,
        _ => new ValueList<T>([.. items]),
    };

    public static IReadOnlyDictionary<string, string> ByValue(this IReadOnlyDictionary<string, string> map) => map switch
    {
        ValueMap values => values,
        { Count: 0 } => ValueMap.Empty,
        _ => new ValueMap(map),
    };
}
