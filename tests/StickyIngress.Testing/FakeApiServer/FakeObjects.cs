using System.Text.Json.Nodes;

namespace StickyIngress.Testing;

/// <summary>Objects as users and Kubernetes' own controllers write them.</summary>
public static class FakeObjects
{
    public static string Name(JsonObject json) => (string)json["metadata"]!["name"]!;

    public static string Namespace(JsonObject json) => (string?)json["metadata"]!["namespace"] ?? "";

    public static JsonObject Service(string space, string name, params (string Name, int Port)[] ports) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Service",
        ["metadata"] = Metadata(space, name),
        ["spec"] = new JsonObject
        {
            ["type"] = "ClusterIP",
            ["ports"] = new JsonArray([.. ports.Select(port => new JsonObject
            {
                ["name"] = port.Name,
                ["port"] = port.Port,
                ["targetPort"] = "http",
                ["protocol"] = "TCP",
            })]),
        },
    };

    public static JsonObject EndpointSlice(string space, string name, string service, params string[] addresses) => new()
    {
        ["apiVersion"] = "discovery.k8s.io/v1",
        ["kind"] = "EndpointSlice",
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["namespace"] = space,
            ["labels"] = new JsonObject { ["kubernetes.io/service-name"] = service },
        },
        ["addressType"] = "IPv4",
        ["ports"] = new JsonArray(new JsonObject { ["name"] = "http", ["port"] = 8080, ["protocol"] = "TCP" }),
        ["endpoints"] = new JsonArray([.. addresses.Select((address, i) => new JsonObject
        {
            ["addresses"] = new JsonArray(address),
            ["conditions"] = new JsonObject { ["ready"] = true, ["serving"] = true, ["terminating"] = false },
            ["nodeName"] = $"node-{i % 50}",
            ["zone"] = $"zone-{i % 3}",
            ["targetRef"] = new JsonObject
            {
                ["kind"] = "Pod",
                ["namespace"] = space,
                ["name"] = $"{service}-6d4b75cb6d-{address.Replace('.', '-').Replace(':', '-')}",
                ["uid"] = $"{address}-5d2f-4c1b-9c53-0242ac120002",
            },
        })]),
    };

    public static JsonObject Ingress(string space, string name, string className, string? secret = null) => new()
    {
        ["apiVersion"] = "networking.k8s.io/v1",
        ["kind"] = "Ingress",
        ["metadata"] = Metadata(space, name),
        ["spec"] = new JsonObject
        {
            ["ingressClassName"] = className,
            ["tls"] = secret is null ? [] : new JsonArray(new JsonObject { ["hosts"] = new JsonArray("shop.example.com"), ["secretName"] = secret }),
            ["rules"] = new JsonArray(new JsonObject
            {
                ["host"] = "shop.example.com",
                ["http"] = new JsonObject
                {
                    ["paths"] = new JsonArray(new JsonObject
                    {
                        ["path"] = "/",
                        ["pathType"] = "Prefix",
                        ["backend"] = new JsonObject
                        {
                            ["service"] = new JsonObject { ["name"] = "web", ["port"] = new JsonObject { ["number"] = 80 } },
                        },
                    }),
                },
            }),
        },
    };

    public static JsonObject IngressClass(string name, string controller = "stickyingress.io/controller") => new()
    {
        ["apiVersion"] = "networking.k8s.io/v1",
        ["kind"] = "IngressClass",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject { ["controller"] = controller },
    };

    public static JsonObject Secret(string space, string name, params (string Key, byte[] Value)[] data) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Secret",
        ["metadata"] = Metadata(space, name),
        ["type"] = "kubernetes.io/tls",
        ["data"] = new JsonObject(data.Select(it => KeyValuePair.Create(it.Key, (JsonNode?)Convert.ToBase64String(it.Value)))),
    };

    /// <summary>An upstream with one server that is a Service.</summary>
    public static JsonObject StickyUpstream(string space, string name, string service, string? secret = null) => new()
    {
        ["apiVersion"] = "stickyingress.io/v1alpha1",
        ["kind"] = "StickyUpstream",
        ["metadata"] = Metadata(space, name),
        ["spec"] = new JsonObject
        {
            ["servers"] = new JsonArray(new JsonObject
            {
                ["name"] = "web",
                ["service"] = new JsonObject { ["name"] = service, ["port"] = "http" },
            }),
            ["tls"] = secret is null ? [] : new JsonArray(new JsonObject { ["secretName"] = secret }),
        },
    };

    private static JsonObject Metadata(string space, string name) => new() { ["name"] = name, ["namespace"] = space };
}
