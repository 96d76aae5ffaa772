using System.Collections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace StickyIngress.Proxy.Clients.Http1;

/// <summary>
/// The headers of a <see cref="PlainRequest"/>. Single ones are looked up where they were received; whoever wants them all as text, or changes
/// them, has a dictionary made.
/// </summary>
internal sealed class RequestFields(PlainRequest request) : IHeaderDictionary
{
    private HeaderDictionary? _texts;

    public PlainRequest Request => request;

    /// <summary>They are as the client sent them.</summary>
    public bool AreAsSent => _texts is null;

    public long? ContentLength
    {
        get => _texts is not null ? _texts.ContentLength : request.SaysEmpty ? 0 : null;
        set => Texts.ContentLength = value;
    }

    public ICollection<string> Keys => Texts.Keys;

    public ICollection<StringValues> Values => Texts.Values;

    public int Count => Texts.Count;

    public bool IsReadOnly => false;

    private HeaderDictionary Texts => _texts ??= MakeTexts();

    public StringValues this[string key]
    {
        get => _texts is not null ? _texts[key] : Find(key);
        set => Texts[key] = value;
    }

    /// <summary>Before the next request.</summary>
    public void Reset() => _texts = null;

    public bool ContainsKey(string key) => _texts?.ContainsKey(key) ?? request.Find(key) >= 0;

    public bool TryGetValue(string key, out StringValues value)
    {
        value = this[key];
        return ContainsKey(key);
    }

    public void Add(string key, StringValues value) => Texts.Add(key, value);

    public void Add(KeyValuePair<string, StringValues> item) => Texts.Add(item);

    public void Clear() => Texts.Clear();

    public bool Contains(KeyValuePair<string, StringValues> item) => Texts.Contains(item);

    public void CopyTo(KeyValuePair<string, StringValues>[] array, int arrayIndex) => Texts.CopyTo(array, arrayIndex);

    public bool Remove(string key) => Texts.Remove(key);

    public bool Remove(KeyValuePair<string, StringValues> item) => Texts.Remove(item);

    public IEnumerator<KeyValuePair<string, StringValues>> GetEnumerator() => Texts.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private StringValues Find(string name)
    {
        var index = request.Find(name);
        if (index < 0) return StringValues.Empty;

        var values = new StringValues(request.ValueText(index));
        while ((index = request.Find(name, index + 1)) >= 0) values = StringValues.Concat(values, request.ValueText(index));
        return values;
    }

    private HeaderDictionary MakeTexts()
    {
        var texts = new HeaderDictionary(request.Count);
        for (var i = 0; i < request.Count; i++) texts.Append(request.Fields[i].Name, request.ValueText(i));
        return texts;
    }
}
