using System.Text.Json.Nodes;

namespace StickyIngress.Tests.Chart;

/// <summary>values.yaml, values.schema.json and what is said of them are one.</summary>
public sealed class ChartValuesTests
{
    private static readonly JsonNode Schema = JsonNode.Parse(File.ReadAllText(Path.Combine(Helm.Chart, "values.schema.json")))!;

    [Fact]
    public void The_schema_knows_each_value_and_no_other()
    {
        var values = Rendered.Parse(File.ReadAllText(Path.Combine(Helm.Chart, "values.yaml"))).Objects.Single();

        Assert.Equal(Paths(values).Order(), SchemaPaths(Schema).Where(path => path != "global").Order());
    }

    [Theory]
    [InlineData("replicaCount=3", "additional properties 'replicaCount' not allowed")]
    [InlineData("image.pulPolicy=Always", "at '/image': additional properties 'pulPolicy' not allowed")]
    [InlineData("kind=StatefulSet", "at '/kind': value must be one of 'Deployment', 'DaemonSet'")]
    [InlineData("replicas=two", "at '/replicas': got string, want integer")]
    [InlineData("controller.logLevel=info", "value must be one of 'trace', 'debug', 'information', 'warning', 'error', 'critical'")]
    [InlineData("controller.trustedProxies={everybody}", "at '/controller/trustedProxies/0'")]
    [InlineData("controller.adminChangesFrom={everybody}", "at '/controller/adminChangesFrom/0'")]
    [InlineData("keep.volume=emptyDir", "at '/keep/volume': got string, want object")]
    [InlineData("image.digest=latest", "at '/image/digest'")]
    [InlineData("service.ports.http=70000", "at '/service/ports/http': maximum: got 70,000, want 65,535")]
    [InlineData("resources.requests.memory=lots", "at '/resources/requests/memory'")]
    [InlineData("metrics.serviceMonitor.enable=true", "at '/metrics/serviceMonitor': additional properties 'enable' not allowed")]
    [InlineData("tolerations[0].efect=NoSchedule", "at '/tolerations/0': additional properties 'efect' not allowed")]
    [InlineData("kind=DaemonSet,autoscaling.enabled=true", "autoscaling.enabled is true and kind is DaemonSet; only a Deployment can be scaled")]
    [InlineData("terminationGracePeriodSeconds=60", "terminationGracePeriodSeconds is 60; it must be more than 70")]
    [InlineData("keep.volume.emptydir.medium=Memory", "at '/keep/volume': additional properties 'emptydir' not allowed")]
    [InlineData("extraVolumes[0].name=a,extraVolumes[0].configmap.name=b", "at '/extraVolumes/0': additional properties 'configmap' not allowed")]
    [InlineData("autoscaling.metrics[0].typ=Pods", "at '/autoscaling/metrics/0': additional properties 'typ' not allowed")]
    [InlineData("topologySpreadConstraints[0].maxskew=1", "at '/topologySpreadConstraints/0': additional properties 'maxskew' not allowed")]
    public async Task A_mistake_is_refused_with_its_place(string set, string message)
    {
        var ended = await Helm.RunAsync("template", Helm.Chart, "--set", set);

        Assert.NotEqual(0, ended.Code);
        Assert.Contains(message, ended.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("one replica", "--set", "replicas=1")]
    [InlineData("hides the clients' addresses", "--set", "service.externalTrafficPolicy=Cluster")]
    [InlineData("every pod of the cluster reaches the admin port", "--set", "networkPolicy.enabled=false")]
    [InlineData("needs the permissions", "--set", "rbac.create=false")]
    [InlineData("scraped twice", "--set", "metrics.serviceMonitor.enabled=true,metrics.podMonitor.enabled=true")]
    [InlineData("kubectl apply -f -")]
    public async Task The_notes_say_what_is_next_and_what_is_risky(string words, params string[] more)
    {
        var ended = await Helm.RunAsync(["install", "x", Helm.Chart, "--dry-run=client", .. more]);

        Assert.True(ended.Code == 0, ended.Error);
        Assert.Contains(words, ended.Output[ended.Output.IndexOf("NOTES:", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    /// <summary>Leaves: whatever is no block of its own values. A map that operators fill, or a small one in braces, is one value.</summary>
    private static IEnumerable<string> Paths(JsonObject values, string prefix = "") => values.SelectMany(value =>
        value.Value is JsonObject { Count: > 0 } section && SchemaAt(prefix + value.Key)?["properties"] is not null ? Paths(section, $"{prefix}{value.Key}.") : [prefix + value.Key]);

    private static IEnumerable<string> SchemaPaths(JsonNode schema, string prefix = "") => schema["properties"]!.AsObject().SelectMany(property =>
        property.Value!["properties"] is not null && !IsFreeForm(prefix + property.Key) ? SchemaPaths(property.Value, $"{prefix}{property.Key}.") : [prefix + property.Key]);

    private static bool IsFreeForm(string path) => path is "affinity" or "resources" or "keep.volume";

    private static JsonNode? SchemaAt(string path) =>
        IsFreeForm(path) ? null : path.Split('.').Aggregate((JsonNode?)Schema, (schema, name) => schema?["properties"]?[name]);
}
