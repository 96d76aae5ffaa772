using System.Collections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace StickyIngress.Proxy.Sockets;

/// <summary>The features of one connection, in the order they were set; they are few, and there are as many of these as connections.</summary>
internal sealed class ConnectionFeatures : IFeatureCollection
{
    /// <summary>Ours and what the server adds.</summary>
    private readonly List<KeyValuePair<Type, object>> _all = new(12);

    public bool IsReadOnly => false;

    public int Revision { get; private set; }

    public object? this[Type key]
    {
        get
        {
            foreach (var (type, feature) in _all)
            {
                if (type == key) return feature;
            }

            return null;
        }

        set
        {
            Revision++;
            var index = _all.FindIndex(feature => feature.Key == key);
            if (index < 0 && value is not null) _all.Add(new(key, value));
            else if (index >= 0 && value is null) _all.RemoveAt(index);
            else if (index >= 0) _all[index] = new(key, value!);
        }
    }

    public static ConnectionFeatures Of(ClientConnection connection)
    {
        var made = new ConnectionFeatures();
        foreach (var type in (ReadOnlySpan<Type>)[
            typeof(ClientConnection), typeof(IConnectionIdFeature), typeof(IConnectionItemsFeature), typeof(IConnectionLifetimeFeature),
            typeof(IConnectionTransportFeature), typeof(IMemoryPoolFeature)])
        {
            made._all.Add(new(type, connection));
        }

        return made;
    }

    public TFeature? Get<TFeature>() => (TFeature?)this[typeof(TFeature)];

    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() => _all.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
