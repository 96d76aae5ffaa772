namespace StickyIngress.Api.Kubernetes;

/// <summary>A core/v1 Secret with its data decoded. Its values are never logged or put into a message.</summary>
public sealed record Secret : Resource
{
    public const string KindName = "Secret";
    public const string TlsType = "kubernetes.io/tls";

    public override string Kind => KindName;

    public string Type { get; init; } = "Opaque";

    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Data { get; init; } = new Dictionary<string, ReadOnlyMemory<byte>>();
}
