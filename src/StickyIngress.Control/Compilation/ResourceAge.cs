using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Compilation;

/// <summary>Who comes first when two resources want the same: the older, then by namespace and name. One without a time of creation comes last.</summary>
internal sealed class ResourceAge : IComparer<Resource>
{
    public static ResourceAge Instance { get; } = new();

    public int Compare(Resource? x, Resource? y)
    {
        if (x is null || y is null) return (x is null ? 1 : 0) - (y is null ? 1 : 0);

        var order = (x.Metadata.CreationTimestamp ?? DateTimeOffset.MaxValue).CompareTo(y.Metadata.CreationTimestamp ?? DateTimeOffset.MaxValue);
        return order != 0 ? order : ResourceOrder.Instance.Compare(x.Ref, y.Ref);
    }
}
