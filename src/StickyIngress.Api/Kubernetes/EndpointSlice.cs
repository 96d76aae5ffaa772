using System.Collections.Immutable;

namespace StickyIngress.Api.Kubernetes;

/// <summary>The part of a discovery.k8s.io/v1 EndpointSlice that is used here.</summary>
public sealed record EndpointSlice : Resource
{
    public const string KindName = "EndpointSlice";
    public const string ServiceNameLabel = "kubernetes.io/service-name";

    public override string Kind => KindName;

    /// <summary>The Service that the slice belongs to, from its label; empty where it belongs to none.</summary>
    public required string ServiceName { get; init; }

    /// <summary>IPv4, IPv6 or FQDN.</summary>
    public string AddressType { get; init; } = "IPv4";

    public ImmutableArray<EndpointPort> Ports { get; init; } = [];

    public ImmutableArray<Endpoint> Endpoints { get; init; } = [];
}

/// <summary>A port of every endpoint of the slice; the name is the Service port's. Port 0: the slice gives none (all ports).</summary>
public readonly record struct EndpointPort(string Name, int Port, string Protocol, string? AppProtocol);

/// <summary>One endpoint. Only the first address is used, as Kubernetes asks of consumers.</summary>
public readonly record struct Endpoint(string Address, EndpointConditions Conditions, string PodName, string PodUid, string Zone, string NodeName);

/// <summary>An endpoint's conditions after Kubernetes' rules for absent values were applied.</summary>
[Flags]
public enum EndpointConditions : byte
{
    None = 0,
    Ready = 1,
    Serving = 2,
    Terminating = 4,
}
