namespace StickyIngress.Testing;

/// <summary>A kind that the fake API server has.</summary>
/// <param name="Counts">Whether it has a generation, counted with each change of anything but metadata and status.</param>
public sealed record FakeResource(string Group, string Version, string Plural, string Kind, bool Namespaced, bool Counts)
{
    public static IReadOnlyList<FakeResource> All { get; } =
    [
        new("", "v1", "services", "Service", Namespaced: true, Counts: false),
        new("", "v1", "secrets", "Secret", Namespaced: true, Counts: false),
        new("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", Namespaced: true, Counts: true),
        new("networking.k8s.io", "v1", "ingresses", "Ingress", Namespaced: true, Counts: true),
        new("networking.k8s.io", "v1", "ingressclasses", "IngressClass", Namespaced: false, Counts: true),
        new("coordination.k8s.io", "v1", "leases", "Lease", Namespaced: true, Counts: false),
        new("events.k8s.io", "v1", "events", "Event", Namespaced: true, Counts: false),
        new("stickyingress.io", "v1alpha1", "stickyupstreams", "StickyUpstream", Namespaced: true, Counts: true),
    ];

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    public static FakeResource OfKind(string kind) => All.Single(resource => resource.Kind == kind);
}
