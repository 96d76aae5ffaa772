using System.Text.Json.Nodes;

namespace StickyIngress.Tests.Chart;

/// <summary>What the chart allows the controller and nothing else of the chart, as one text for kubectl.</summary>
internal static class ChartRoles
{
    private static readonly string[] Kinds = ["ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"];

    /// <summary>Of the release <c>sticky-ingress</c>. Without helm what the plain manifest allows, which other tests hold equal to it.</summary>
    public static async Task<string> OfClusterAsync() => Helm.IsThere
        ? List(await Rendered.ChartAsync())
        : await File.ReadAllTextAsync(Repository.PathOf("manifests/rbac.yaml"));

    /// <summary>Of one namespace, for an account of that name.</summary>
    public static async Task<string> OfNamespaceAsync(string space, string account) =>
        List(await Rendered.ChartAsync("--set", $"namespaces={{{space}}}", "--set", $"fullnameOverride={account}"));

    private static string List(Rendered chart) => new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "List",
        ["items"] = new JsonArray([.. chart.Objects.Where(one => Kinds.Contains((string)one["kind"]!)).Select(one => one.DeepClone())]),
    }.ToJsonString();
}
