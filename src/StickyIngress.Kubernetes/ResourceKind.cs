using System.Text;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Kubernetes.Reading;

namespace StickyIngress.Kubernetes;

/// <summary>A kind that is watched: where the API server has it, and how it is read.</summary>
/// <param name="Root">Path of its group and version.</param>
/// <param name="Optional">Whether we can do without: where it is forbidden, it counts as empty.</param>
/// <param name="Unchanged">
/// The former object with the new metadata (and status), when nothing that is compiled differs; else null.
/// </param>
internal sealed record ResourceKind<T>(
    string Name, string Root, string Plural, bool Namespaced, bool Optional, ObjectRead<T> Read, Func<T, T, T?> Unchanged)
    where T : Resource
{
    /// <summary>The collection in the scope with this query.</summary>
    public string Path(WatchScope scope, string query)
    {
        var path = new StringBuilder(Root);
        if (scope.Namespace is not null) path.Append("/namespaces/").Append(scope.Namespace);
        path.Append('/').Append(Plural).Append('?').Append(query);
        if (scope.Name is not null) path.Append("&fieldSelector=metadata.name%3D").Append(scope.Name);
        return path.ToString();
    }
}

/// <summary>What of a kind one watch is about; null: all.</summary>
internal readonly record struct WatchScope(string? Namespace, string? Name = null)
{
    /// <summary>For people.</summary>
    public string Place => Namespace ?? "the cluster";

    public bool Holds(ResourceRef named) =>
        (Namespace is null || Namespace == named.Namespace) && (Name is null || Name == named.Name);
}

internal static class ResourceKinds
{
    public static ResourceKind<StickyUpstream> StickyUpstreams { get; } = new(
        StickyUpstream.KindName, $"/apis/{StickyUpstream.ApiVersion}", StickyUpstream.Plural, Namespaced: true, Optional: false,
        (json, named, _) => StickyUpstreamReader.Read(json, named),
        (former, next) => SaysTheSame(former, next) ? former with { Metadata = next.Metadata, Status = next.Status } : null);

    public static ResourceKind<Service> Services { get; } = new(
        Service.KindName, "/api/v1", "services", Namespaced: true, Optional: false, ObjectReading.Of(ServiceReader.Read), ServiceReader.Unchanged);

    public static ResourceKind<EndpointSlice> EndpointSlices { get; } = new(
        EndpointSlice.KindName, "/apis/discovery.k8s.io/v1", "endpointslices", Namespaced: true, Optional: false,
        ObjectReading.Of(EndpointSliceReader.Read), EndpointSliceReader.Unchanged);

    public static ResourceKind<Ingress> Ingresses { get; } = new(
        Ingress.KindName, "/apis/networking.k8s.io/v1", "ingresses", Namespaced: true, Optional: false, ObjectReading.Of(IngressReader.Read),
        (former, next) => SaysTheSame(former, next)
            ? former with { Metadata = next.Metadata, LoadBalancerAddresses = next.LoadBalancerAddresses }
            : null);

    public static ResourceKind<IngressClass> IngressClasses { get; } = new(
        IngressClass.KindName, "/apis/networking.k8s.io/v1", "ingressclasses", Namespaced: false, Optional: true, ObjectReading.Of(IngressClassReader.Read),
        (former, next) => SaysTheSame(former, next) ? former with { Metadata = next.Metadata } : null);

    public static ResourceKind<Secret> Secrets { get; } = new(
        Secret.KindName, "/api/v1", "secrets", Namespaced: true, Optional: true, ObjectReading.Of(SecretReader.Read), SecretReader.Unchanged);

    /// <summary>For kinds whose generation the API server counts: it grows with every change of the spec, and of nothing else.</summary>
    private static bool SaysTheSame(Resource former, Resource next) =>
        former.Metadata.Uid == next.Metadata.Uid
        && next.Metadata.Generation > 0 && former.Metadata.Generation == next.Metadata.Generation
        && Metadata.IsSame(former.Metadata.Labels, next.Metadata.Labels)
        && Metadata.IsSame(former.Metadata.Annotations, next.Metadata.Annotations);
}
