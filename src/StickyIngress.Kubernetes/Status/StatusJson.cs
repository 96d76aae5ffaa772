using System.Net;
using System.Text.Json.Nodes;
using StickyIngress.Api;

namespace StickyIngress.Kubernetes.Status;

/// <summary>The bodies of server-side applies: nothing in them but what we own.</summary>
internal static class StatusJson
{
    public static JsonObject Of(StickyUpstream upstream, StickyUpstreamStatus status)
    {
        var json = new JsonObject
        {
            ["observedGeneration"] = status.ObservedGeneration,
            ["conditions"] = new JsonArray([.. status.Conditions.Select(Of)]),
            ["sticky"] = status.Sticky.ToString(),
        };
        if (status.Peers is { } peers)
        {
            json["peers"] = new JsonObject
            {
                ["total"] = peers.Total,
                ["available"] = peers.Available,
                ["draining"] = peers.Draining,
                ["unavailable"] = peers.Unavailable,
            };
        }

        return Apply(upstream, StickyUpstream.ApiVersion, json);
    }

    public static JsonObject Of(Api.Kubernetes.Ingress ingress, IReadOnlyList<string> addresses) => Apply(
        ingress, "networking.k8s.io/v1", new() { ["loadBalancer"] = new JsonObject { ["ingress"] = new JsonArray([.. addresses.Select(Point)]) } });

    private static JsonObject Apply(Resource resource, string apiVersion, JsonObject status) => new()
    {
        ["apiVersion"] = apiVersion,
        ["kind"] = resource.Kind,

        // With the uid, so that an object that was made anew under the same name is not told what became of its predecessor.
        ["metadata"] = new JsonObject
        {
            ["name"] = resource.Metadata.Name,
            ["namespace"] = resource.Metadata.Namespace,
            ["uid"] = resource.Metadata.Uid,
        },
        ["status"] = status,
    };

    private static JsonObject Of(Condition condition) => new()
    {
        ["type"] = condition.Type,
        ["status"] = condition.Status.ToString(),
        ["reason"] = condition.Reason,
        ["message"] = condition.Message,
        ["lastTransitionTime"] = condition.LastTransitionTime.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"),
        ["observedGeneration"] = condition.ObservedGeneration,
    };

    private static JsonObject Point(string address) =>
        IPAddress.TryParse(address, out _) ? new() { ["ip"] = address } : new() { ["hostname"] = address };
}
