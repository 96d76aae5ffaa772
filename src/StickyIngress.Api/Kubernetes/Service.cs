namespace StickyIngress.Api.Kubernetes;

/// <summary>The part of a core/v1 Service that is used here.</summary>
public sealed record Service : Resource
{
    public const string KindName = "Service";

    public override string Kind => KindName;

    /// <summary>ClusterIP, NodePort, LoadBalancer or ExternalName.</summary>
    public string Type { get; init; } = "ClusterIP";

    /// <summary>Only for type ExternalName.</summary>
    public string ExternalName { get; init; } = "";

    public IReadOnlyList<ServicePort> Ports { get; init => field = value.ByValue(); } = ValueList<ServicePort>.Empty;

    /// <summary>Endpoints count as ready whatever they report (publishNotReadyAddresses).</summary>
    public bool PublishNotReadyAddresses { get; init; }

    /// <summary>status.loadBalancer.ingress: addresses or host names, in order.</summary>
    public IReadOnlyList<string> LoadBalancerAddresses { get; init => field = value.ByValue(); } = ValueList<string>.Empty;
}

/// <summary>A port of a Service. The name is empty where the Service has only one unnamed port.</summary>
public sealed record ServicePort(string Name, int Port, string TargetPort, string Protocol, string? AppProtocol);
