using StickyIngress.Api.Kubernetes;

namespace StickyIngress.Api;

/// <summary>The used part of Kubernetes' own kinds, in the shape in which the API server has it.</summary>
internal static class NativeValues
{
    public static IEnumerable<KeyValuePair<string, object>> Of(Resource resource) => resource switch
    {
        Service service => OfService(service),
        EndpointSlice slice => OfSlice(slice),
        Ingress ingress => new YamlMap { { "spec", OfIngress(ingress) } },
        IngressClass ingressClass => new YamlMap { { "spec", new YamlMap { { "controller", ingressClass.Controller } } } },
        Secret secret => OfSecret(secret),
        _ => throw new ArgumentException($"{resource.Kind} is no kind of Kubernetes' own", nameof(resource)),
    };

    private static YamlMap OfService(Service service) => new()
    {
        {
            "spec", new YamlMap
            {
                { "type", service.Type },
                { "externalName", service.ExternalName },
                { "publishNotReadyAddresses", service.PublishNotReadyAddresses },
                { "ports", List(service.Ports, OfServicePort) },
            }
        },
    };

    private static YamlMap OfServicePort(ServicePort port)
    {
        // A target by number is written as a number: a name may not be all digits.
        object target = int.TryParse(port.TargetPort, out var number) ? number : port.TargetPort;
        var map = new YamlMap { { "name", port.Name }, { "port", port.Port }, { "targetPort", target }, { "protocol", port.Protocol } };
        if (port.AppProtocol is { } protocol) map.Add("appProtocol", protocol);
        return map;
    }

    private static YamlMap OfSlice(EndpointSlice slice) => new()
    {
        { "addressType", slice.AddressType },
        { "ports", List(slice.Ports, OfEndpointPort) },
        { "endpoints", List(slice.Endpoints, OfEndpoint) },
    };

    private static YamlMap OfEndpointPort(EndpointPort port)
    {
        var map = new YamlMap { { "name", port.Name }, { "protocol", port.Protocol } };
        if (port.Port > 0) map.Add("port", port.Port);
        if (port.AppProtocol is { } protocol) map.Add("appProtocol", protocol);
        return map;
    }

    private static YamlMap OfEndpoint(Endpoint endpoint)
    {
        var map = new YamlMap
        {
            { "addresses", new List<object> { endpoint.Address } },
            {
                "conditions", new YamlMap
                {
                    { "ready", endpoint.Conditions.HasFlag(EndpointConditions.Ready) },
                    { "serving", endpoint.Conditions.HasFlag(EndpointConditions.Serving) },
                    { "terminating", endpoint.Conditions.HasFlag(EndpointConditions.Terminating) },
                }
            },
            { "zone", endpoint.Zone },
            { "nodeName", endpoint.NodeName },
        };
        if (endpoint.PodName.Length > 0)
            map.Add("targetRef", new YamlMap { { "kind", "Pod" }, { "name", endpoint.PodName }, { "uid", endpoint.PodUid } });
        return map;
    }

    private static YamlMap OfIngress(Ingress ingress)
    {
        var spec = new YamlMap
        {
            { "rules", List(ingress.Rules, rule => new() { { "host", rule.Host }, { "http", new YamlMap { { "paths", List(rule.Paths, OfPath) } } } }) },
            { "tls", List(ingress.Tls, tls => new() { { "hosts", tls.Hosts.ToList<object>() }, { "secretName", tls.SecretName } }) },
        };
        if (ingress.IngressClassName is { } named) spec.Add("ingressClassName", named);
        if (ingress.DefaultBackend is { } backend) spec.Add("defaultBackend", OfBackend(backend));
        return spec;
    }

    private static YamlMap OfPath(IngressPath path) => new()
    {
        { "path", path.Path }, { "pathType", path.PathType }, { "backend", OfBackend(path.Backend) },
    };

    private static YamlMap OfBackend(IngressBackend backend)
    {
        if (backend.Resource is { } resource)
            return new() { { "resource", new YamlMap { { "apiGroup", resource.ApiGroup }, { "kind", resource.Kind }, { "name", resource.Name } } } };

        var service = backend.Service!;
        var port = service.PortName.Length > 0 ? new YamlMap { { "name", service.PortName } } : new() { { "number", service.PortNumber } };
        return new() { { "service", new YamlMap { { "name", service.Name }, { "port", port } } } };
    }

    private static YamlMap OfSecret(Secret secret) => new()
    {
        { "type", secret.Type },
        { "data", YamlMap.Of(secret.Data.Select(entry => KeyValuePair.Create(entry.Key, Convert.ToBase64String(entry.Value.Span)))) },
    };

    private static List<object> List<T>(IEnumerable<T> items, Func<T, YamlMap> write) => [.. items.Select(write)];
}
