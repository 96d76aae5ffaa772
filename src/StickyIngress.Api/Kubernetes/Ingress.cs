namespace StickyIngress.Api.Kubernetes;

/// <summary>The part of a networking.k8s.io/v1 Ingress that is used here.</summary>
public sealed record Ingress : Resource
{
    public const string KindName = "Ingress";

    public override string Kind => KindName;

    public string? IngressClassName { get; init; }

    public IngressBackend? DefaultBackend { get; init; }

    public IReadOnlyList<IngressRule> Rules { get; init => field = value.ByValue(); } = ValueList<IngressRule>.Empty;

    public IReadOnlyList<IngressTls> Tls { get; init => field = value.ByValue(); } = ValueList<IngressTls>.Empty;

    /// <summary>status.loadBalancer.ingress: addresses or host names, in order; never read from files.</summary>
    public IReadOnlyList<string> LoadBalancerAddresses { get; init => field = value.ByValue(); } = ValueList<string>.Empty;
}

/// <summary>Paths of one host; an empty host is any host.</summary>
public sealed record IngressRule(string Host, IReadOnlyList<IngressPath> Paths);

/// <summary>A path and where it leads. The type is Exact, Prefix or ImplementationSpecific.</summary>
public sealed record IngressPath(string Path, string PathType, IngressBackend Backend);

/// <summary>Exactly one of a Service with a port (name or number) and a resource reference.</summary>
public sealed record IngressBackend(IngressServiceBackend? Service, IngressResourceBackend? Resource);

/// <summary>A Service's port, by name or, where the name is empty, by number.</summary>
public sealed record IngressServiceBackend(string Name, string PortName, int PortNumber);

/// <summary>An object of any kind in the Ingress' namespace.</summary>
public sealed record IngressResourceBackend(string ApiGroup, string Kind, string Name);

/// <summary>Hosts and the kubernetes.io/tls Secret with their certificate.</summary>
public sealed record IngressTls(IReadOnlyList<string> Hosts, string SecretName);

/// <summary>The part of a networking.k8s.io/v1 IngressClass that is used here. It has no namespace; <see cref="ObjectMeta.Namespace"/> is empty.</summary>
public sealed record IngressClass : Resource
{
    public const string KindName = "IngressClass";
    public const string DefaultAnnotation = "ingressclass.kubernetes.io/is-default-class";

    public override string Kind => KindName;

    public string Controller { get; init; } = "";

    public bool IsDefault => Metadata.Annotations.TryGetValue(DefaultAnnotation, out var value) && value == "true";
}
