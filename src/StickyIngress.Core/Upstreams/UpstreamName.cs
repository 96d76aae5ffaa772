namespace StickyIngress.Core.Upstreams;

/// <summary>Names an upstream within an installation.</summary>
public readonly record struct UpstreamName(string Namespace, string Name)
{
    public override string ToString() => $"{Namespace}/{Name}";
}
