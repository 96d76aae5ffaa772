using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using StickyIngress.Api.Kubernetes;

namespace StickyIngress.Api.Reading;

/// <summary>The kinds of Kubernetes' own that are used: of real objects the part that matters, strictly typed.</summary>
internal static class NativeReader
{
    /// <summary>The apiVersion of each kind.</summary>
    public static string? ApiVersionOf(string kind) => kind switch
    {
        Service.KindName or Secret.KindName => "v1",
        EndpointSlice.KindName => "discovery.k8s.io/v1",
        Ingress.KindName or IngressClass.KindName => "networking.k8s.io/v1",
        _ => null,
    };

    public static Resource Read(string kind, MapReader root, ObjectMeta metadata, string? file) => kind switch
    {
        Service.KindName => ReadService(root, metadata, file),
        EndpointSlice.KindName => ReadEndpointSlice(root, metadata, file),
        Ingress.KindName => ReadIngress(root, metadata, file),
        IngressClass.KindName => new IngressClass
        {
            Metadata = metadata,
            File = file,
            Controller = root.Map("spec", spec => spec.Text("controller")),
        },
        _ => ReadSecret(root, metadata, file),
    };

    private static Service ReadService(MapReader root, ObjectMeta metadata, string? file)
    {
        var addresses = root.Map("status", status => status.Map("loadBalancer", balancer => balancer.List("ingress",
            entry => entry.OptionalText("ip") ?? entry.Text("hostname"))));
        return root.Map("spec", spec => new Service
        {
            Metadata = metadata,
            File = file,
            Type = spec.Text("type", "ClusterIP"),
            ExternalName = spec.Text("externalName"),
            PublishNotReadyAddresses = spec.OptionalBool("publishNotReadyAddresses") ?? false,
            LoadBalancerAddresses = new ValueList<string>([.. addresses.Where(a => a.Length > 0)]),
            Ports = new ValueList<ServicePort>(spec.List("ports", ReadServicePort)),
        });
    }

    private static ServicePort ReadServicePort(MapReader port)
    {
        if (!port.Has("port")) port.Error(ReadReasons.Required, "port is missing; it must be set");
        var number = port.Port("port");
        var target = port.IntegerOrText("targetPort");
        return new ServicePort(
            port.Text("name"), number, target.Length > 0 ? target : number.ToString(), port.Text("protocol", "TCP"), port.OptionalText("appProtocol"));
    }

    private static EndpointSlice ReadEndpointSlice(MapReader root, ObjectMeta metadata, string? file)
    {
        var type = root.Text("addressType", "IPv4");
        return new()
        {
            Metadata = metadata,
            File = file,
            ServiceName = metadata.Labels.GetValueOrDefault(EndpointSlice.ServiceNameLabel, ""),
            AddressType = type,
            Ports = ImmutableArray.Create(root.List("ports", port =>
                new EndpointPort(port.Text("name"), port.Port("port"), port.Text("protocol", "TCP"), port.OptionalText("appProtocol")))),
            Endpoints = ImmutableArray.Create(root.List("endpoints", endpoint => ReadEndpoint(endpoint, type))),
        };
    }

    private static Endpoint ReadEndpoint(MapReader endpoint, string type)
    {
        var addresses = endpoint.Texts("addresses");
        if (addresses.Count == 0 || addresses[0].Length == 0)
            endpoint.Error(ReadReasons.Required, "addresses is missing or empty; it must have an address");
        else if (!IsAddress(type, addresses[0]))
            endpoint.Error(ReadReasons.InvalidValue, $"addresses[0] is \"{addresses[0]}\"; it must be an address of type {type}");

        var conditions = endpoint.Map("conditions", ReadConditions);
        var (podName, podUid) = endpoint.Map("targetRef", target =>
            target.Text("kind") == "Pod" ? (target.Text("name"), target.Text("uid")) : ("", ""));
        return new Endpoint(
            addresses.Count > 0 ? addresses[0] : "", conditions, podName, podUid, endpoint.Text("zone"), endpoint.Text("nodeName"));
    }

    /// <summary>Of other types than IPv4 and IPv6 the compiler says that they are not used.</summary>
    private static bool IsAddress(string type, string text) => type switch
    {
        "IPv4" => IPAddress.TryParse(text, out var ip) && ip.AddressFamily == AddressFamily.InterNetwork && text.Count('.') == 3,
        "IPv6" => IPAddress.TryParse(text, out var ip) && ip.AddressFamily == AddressFamily.InterNetworkV6,
        _ => true,
    };

    /// <summary>Kubernetes' rules for absent values: ready is true, serving is as ready, terminating is false.</summary>
    private static EndpointConditions ReadConditions(MapReader conditions)
    {
        var ready = conditions.OptionalBool("ready") ?? true;
        var serving = conditions.OptionalBool("serving") ?? ready;
        var terminating = conditions.OptionalBool("terminating") ?? false;
        return (ready ? EndpointConditions.Ready : EndpointConditions.None)
            | (serving ? EndpointConditions.Serving : EndpointConditions.None)
            | (terminating ? EndpointConditions.Terminating : EndpointConditions.None);
    }

    private static Ingress ReadIngress(MapReader root, ObjectMeta metadata, string? file) => root.Map("spec", spec => new Ingress
    {
        Metadata = metadata,
        File = file,
        IngressClassName = spec.OptionalText("ingressClassName"),
        DefaultBackend = spec.Has("defaultBackend") ? spec.Map("defaultBackend", ReadBackend) : null,
        Rules = new ValueList<IngressRule>(spec.List("rules", rule =>
            new IngressRule(rule.Text("host"), new ValueList<IngressPath>(rule.Map("http", http => http.List("paths", ReadPath)))))),
        Tls = new ValueList<IngressTls>(spec.List("tls", tls => new IngressTls(tls.Texts("hosts"), tls.Text("secretName")))),
    });

    private static IngressPath ReadPath(MapReader path)
    {
        if (!path.Has("backend")) path.Error(ReadReasons.Required, "backend is missing; it must be set");
        return new IngressPath(path.Text("path"), path.RequiredText("pathType"), path.Map("backend", ReadBackend));
    }

    private static IngressBackend ReadBackend(MapReader backend)
    {
        if (backend.Has("service") == backend.Has("resource"))
            backend.Error(ReadReasons.InvalidCombination, "exactly one of service and resource must be set");

        var service = !backend.Has("service") ? null : backend.Map("service", s => s.Map("port", port =>
            new IngressServiceBackend(s.Text("name"), port.Text("name"), port.Port("number"))));
        var resource = !backend.Has("resource") ? null : backend.Map("resource", r =>
            new IngressResourceBackend(r.Text("apiGroup"), r.RequiredText("kind"), r.RequiredText("name")));
        return new IngressBackend(service, resource);
    }

    private static Secret ReadSecret(MapReader root, ObjectMeta metadata, string? file)
    {
        var data = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        foreach (var (key, value) in root.TextMap("data"))
        {
            try
            {
                data[key] = Convert.FromBase64String(value);
            }
            catch (FormatException)
            {
                root.Error(ReadReasons.InvalidValue, $"data[{key}] is not valid base64");
            }
        }

        foreach (var (key, value) in root.TextMap("stringData")) data[key] = System.Text.Encoding.UTF8.GetBytes(value);
        return new Secret { Metadata = metadata, File = file, Type = root.Text("type", "Opaque"), Data = data };
    }
}
