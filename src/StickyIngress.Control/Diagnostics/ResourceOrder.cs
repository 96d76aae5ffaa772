using StickyIngress.Api;

namespace StickyIngress.Control.Diagnostics;

/// <summary>The order of resources wherever one is shown or decides: namespace, name, kind, each ordinally.</summary>
internal sealed class ResourceOrder : IComparer<ResourceRef>
{
    public static ResourceOrder Instance { get; } = new();

    public int Compare(ResourceRef x, ResourceRef y)
    {
        var order = string.CompareOrdinal(x.Namespace, y.Namespace);
        if (order == 0) order = string.CompareOrdinal(x.Name, y.Name);
        return order != 0 ? order : string.CompareOrdinal(x.Kind, y.Kind);
    }

    /// <summary>What is about no resource comes first.</summary>
    public static int Compare(ResourceRef? x, ResourceRef? y) => (x, y) switch
    {
        (null, null) => 0,
        (null, _) => -1,
        (_, null) => 1,
        _ => Instance.Compare(x.Value, y.Value),
    };
}
