namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// What is to be looked through now and then, in no order. Each member knows its place, so that none is searched for when it goes. One thread at a
/// time uses it.
/// </summary>
internal sealed class PlacedList<T>
    where T : class, IPlaced
{
    private readonly List<T> _all = [];

    public int Count => _all.Count;

    public IReadOnlyList<T> All => _all;

    public void Add(T member)
    {
        member.Place = _all.Count;
        _all.Add(member);
    }

    /// <summary>The last one takes its place.</summary>
    public void Remove(T member)
    {
        var last = _all[^1];
        _all[member.Place] = last;
        last.Place = member.Place;
        _all.RemoveAt(_all.Count - 1);
    }

    public void CopyTo(T[] array) => _all.CopyTo(array);
}

/// <summary>A member of one <see cref="PlacedList{T}"/>.</summary>
internal interface IPlaced
{
    /// <summary>For the list.</summary>
    int Place { get; set; }
}
