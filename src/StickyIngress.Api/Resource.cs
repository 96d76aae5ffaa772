namespace StickyIngress.Api;

/// <summary>An object as Kubernetes knows it: a kind, a name, and for a StickyUpstream a spec.</summary>
public abstract record Resource
{
    public required ObjectMeta Metadata { get; init; }

    public abstract string Kind { get; }

    /// <summary>The file that it was read from; null when it came from the cluster.</summary>
    public string? File { get; init; }

    public ResourceRef Ref => new(Kind, Metadata.Namespace, Metadata.Name);
}

/// <summary>The part of Kubernetes' ObjectMeta that is used here.</summary>
public sealed record ObjectMeta
{
    public const string DefaultNamespace = "default";

    public required string Name { get; init; }

    public string Namespace { get; init; } = DefaultNamespace;

    public string Uid { get; init; } = "";

    public string ResourceVersion { get; init; } = "";

    public long Generation { get; init; }

    public DateTimeOffset? CreationTimestamp { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init => field = value.ByValue(); } = ValueMap.Empty;

    public IReadOnlyDictionary<string, string> Annotations { get; init => field = value.ByValue(); } = ValueMap.Empty;
}

/// <summary>Names a resource; what a diagnostic is about.</summary>
public readonly record struct ResourceRef(string Kind, string Namespace, string Name)
{
    /// <summary>Names tell most apart, and kinds differ in length: a set of many thousands is made of hashes at every start.</summary>
    public override int GetHashCode() => HashCode.Combine(Name, Namespace, Kind.Length);

    public override string ToString() => $"{Kind} {Namespace}/{Name}";
}
