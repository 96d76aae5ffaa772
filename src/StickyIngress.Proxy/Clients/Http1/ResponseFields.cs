using System.Collections;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using StickyIngress.Proxy.Forwarding.Http1;

namespace StickyIngress.Proxy.Clients.Http1;

/// <summary>The headers of a response in the order they were set. They are few, so they are looked for one by one.</summary>
internal sealed class ResponseFields : IHeaderDictionary
{
    private KeyValuePair<string, StringValues>[] _fields = new KeyValuePair<string, StringValues>[16];
    private int _count;

    /// <summary>A peer's, which come before <see cref="Further"/> until somebody asks for one of them or for all; null: none.</summary>
    public Http1Response? Passed { get; private set; }

    public int Count => All.Count;

    /// <summary>They have been sent, so a change would be lost.</summary>
    public bool IsReadOnly { get; set; }

    public long? ContentLength
    {
        get => IndexOf(HeaderNames.ContentLength) is >= 0 and var index && HeaderUtilities.TryParseNonNegativeInt64(_fields[index].Value.ToString(), out var length) ? length : null;
        set => this[HeaderNames.ContentLength] = value?.ToString(CultureInfo.InvariantCulture);
    }

    public ICollection<string> Keys => [.. this.Select(static one => one.Key)];

    public ICollection<StringValues> Values => [.. this.Select(static one => one.Value)];

    public ReadOnlySpan<KeyValuePair<string, StringValues>> Further => _fields.AsSpan(0, _count);

    private ArraySegment<KeyValuePair<string, StringValues>> All
    {
        get
        {
            Unfold();
            return new(_fields, 0, _count);
        }
    }

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
        if (_count == _fields.Length) Array.Resize(ref _fields, 2 * _count);
        _fields[_count++] = new(name, value);
    }

    /// <summary>The same as setting all that a response passes on, before anything else.</summary>
    /// <param name="mayStayWhole">It has been passed on before, so that it is worth while to keep how its lines are written.</param>
    public void Pass(Http1Response response, bool mayStayWhole)
    {
        Passed = response;
        if (!mayStayWhole) Unfold();
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
        _fields.AsSpan(0, _count).Clear();
        (Passed, _count, IsReadOnly) = (null, 0, false);
    }

    public bool Contains(KeyValuePair<string, StringValues> item) => this[item.Key].Equals(item.Value);

    public bool ContainsKey(string key) => IndexOf(key) >= 0;

    public void CopyTo(KeyValuePair<string, StringValues>[] array, int arrayIndex) => All.CopyTo(array, arrayIndex);

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

    public IEnumerator<KeyValuePair<string, StringValues>> GetEnumerator() => All.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int IndexOf(string name)
    {
        if (Passed is not null && Passed.Passes(name)) Unfold();
        for (var i = 0; i < _count; i++)
        {
            var known = _fields[i].Key;
            if (ReferenceEquals(known, name) || (known.Length == name.Length && known.Equals(name, StringComparison.OrdinalIgnoreCase))) return i;
        }

        return -1;
    }

    private void RemoveAt(int index)
    {
        _fields.AsSpan(index + 1, _count - index - 1).CopyTo(_fields.AsSpan(index));
        _fields[--_count] = default;
    }

    private void Unfold()
    {
        if (Passed is not { } passed) return;

        var further = Further.ToArray();
        (Passed, _count) = (null, 0);
        for (var i = 0; i < passed.Count; i++)
        {
            var (name, value) = passed.Headers[i];
            var use = passed.UseOf(i);
            if (use == FieldUse.Passed) AddNew(name, value);
            else if (use == FieldUse.Repeated && IndexOf(name) is var index) _fields[index] = new(_fields[index].Key, StringValues.Concat(_fields[index].Value, value));
        }

        foreach (var (name, value) in further) AddNew(name, value);
    }

    private void ThrowIfReadOnly()
    {
        if (IsReadOnly) throw new InvalidOperationException("the headers have been sent");
    }
}
