using System.Collections;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace StickyIngress.Proxy.Clients.Http1;

/// <summary>The headers of a response in the order they were set. They are few, so they are looked for one by one.</summary>
internal sealed class ResponseFields : IHeaderDictionary
{
    private KeyValuePair<string, StringValues>[] _fields = new KeyValuePair<string, StringValues>[16];

    public int Count { get; private set; }

    /// <summary>They have been sent, so a change would be lost.</summary>
    public bool IsReadOnly { get; set; }

    public long? ContentLength
    {
        get => IndexOf(HeaderNames.ContentLength) is >= 0 and var index && HeaderUtilities.TryParseNonNegativeInt64(_fields[index].Value.ToString(), out var length) ? length : null;
        set => this[HeaderNames.ContentLength] = value?.ToString(CultureInfo.InvariantCulture);
    }

    public ICollection<string> Keys => [.. this.Select(static one => one.Key)];

    public ICollection<StringValues> Values => [.. this.Select(static one => one.Value)];

    public ReadOnlySpan<KeyValuePair<string, StringValues>> All => _fields.AsSpan(0, Count);

    public StringValues this[string key]
    {
        get => IndexOf(key) is >= 0 and var index ? _fields[index].Value : StringValues.Empty;
        set
        {
            ThrowIfReadOnly();
            var index = IndexOf(key);
            if (StringValues.IsNullOrEmpty(value) && value.Count == 0)
            {
                if (index >= 0) RemoveAt(index);
            }
            else if (index >= 0)
            {
                _fields[index] = new(_fields[index].Key, value);
            }
            else
            {
                AddNew(key, value);
            }
        }
    }

    /// <summary>The same as setting one that is not there yet.</summary>
    public void AddNew(string name, StringValues value)
    {
        if (Count == _fields.Length) Array.Resize(ref _fields, 2 * Count);
        _fields[Count++] = new(name, value);
    }

    public void Add(string key, StringValues value)
    {
        ThrowIfReadOnly();
        if (ContainsKey(key)) throw new ArgumentException($"{key} is there already", nameof(key));
        AddNew(key, value);
    }

    public void Add(KeyValuePair<string, StringValues> item) => Add(item.Key, item.Value);

    public void Clear()
    {
        ThrowIfReadOnly();
        Reset();
    }

    /// <summary>Before the next response.</summary>
    public void Reset()
    {
        _fields.AsSpan(0, Count).Clear();
        (Count, IsReadOnly) = (0, false);
    }

    public bool Contains(KeyValuePair<string, StringValues> item) => this[item.Key].Equals(item.Value);

    public bool ContainsKey(string key) => IndexOf(key) >= 0;

    public void CopyTo(KeyValuePair<string, StringValues>[] array, int arrayIndex) => All.CopyTo(array.AsSpan(arrayIndex));

    public bool Remove(string key)
    {
        ThrowIfReadOnly();
        var index = IndexOf(key);
        if (index < 0) return false;

        RemoveAt(index);
        return true;
    }

    public bool Remove(KeyValuePair<string, StringValues> item) => Contains(item) && Remove(item.Key);

    public bool TryGetValue(string key, out StringValues value)
    {
        value = this[key];
        return ContainsKey(key);
    }

    public IEnumerator<KeyValuePair<string, StringValues>> GetEnumerator() => _fields.Take(Count).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int IndexOf(string name)
    {
        for (var i = 0; i < Count; i++)
        {
            var known = _fields[i].Key;
            if (ReferenceEquals(known, name) || (known.Length == name.Length && known.Equals(name, StringComparison.OrdinalIgnoreCase))) return i;
        }

        return -1;
    }

    private void RemoveAt(int index)
    {
        _fields.AsSpan(index + 1, Count - index - 1).CopyTo(_fields.AsSpan(index));
        _fields[--Count] = default;
    }

    private void ThrowIfReadOnly()
    {
        if (IsReadOnly) throw new InvalidOperationException("the headers have been sent");
    }
}
