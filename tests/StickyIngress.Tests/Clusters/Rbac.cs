using System.Text.Json.Nodes;
using StickyIngress.Tests.Chart;

namespace StickyIngress.Tests.Clusters;

/// <summary>The permissions that a manifest grants, each as one line.</summary>
internal static class Rbac
{
    public static string Use(string verb, string group, string resource) => $"{verb} {resource} of \"{group}\"";

    public static string[] Uses(string manifest) => Uses(Rendered.Parse(File.ReadAllText(Repository.PathOf($"manifests/{manifest}"))).Objects);

    public static string[] Uses(IEnumerable<JsonObject> objects) =>
    [
        .. from one in objects
           where one["rules"] is not null && ((string)one["kind"]!).EndsWith("Role", StringComparison.Ordinal)
           from rule in one["rules"]!.AsArray()
           from @group in Words(rule["apiGroups"])
           from resource in Words(rule["resources"])
           from verb in Words(rule["verbs"])
           select Use(verb, @group, resource),
    ];

    private static IEnumerable<string> Words(JsonNode? list) => list!.AsArray().Select(item => (string)item!);
}
