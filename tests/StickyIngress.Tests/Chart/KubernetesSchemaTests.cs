using System.Text.Json.Nodes;
using k8s;

namespace StickyIngress.Tests.Chart;

/// <summary>
/// Rendered objects have the shape that Kubernetes gives their kinds: read strictly into its models, where a field that is unknown or of
/// another type is an error. And their pods keep the rules of Pod Security <c>restricted</c>.
/// </summary>
public sealed class KubernetesSchemaTests
{
    /// <summary>Kinds of others, which the models do not have.</summary>
    private static readonly string[] Foreign = ["ServiceMonitor", "PodMonitor", "PrometheusRule"];

    public static TheoryData<string> Cases => ChartTests.Cases;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Every_object_is_one_of_its_kind(string name)
    {
        var rendered = await Rendered.CaseAsync(name);

        Assert.All(rendered.Objects.Where(one => !Foreign.Contains((string)one["kind"]!)), Check);
    }

    [Fact]
    public async Task The_chart_of_the_definition_renders_it()
    {
        var ended = await Helm.RunAsync("template", "crds", Helm.CrdChart);

        var rendered = Rendered.Parse(ended.Output);
        Assert.Equal(["CustomResourceDefinition/stickyupstreams.stickyingress.io"], rendered.Names);
        Assert.All(rendered.Objects, Check);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Pods_are_restricted(string name)
    {
        var rendered = await Rendered.CaseAsync(name);
        var pods = rendered.Kind("Pod").Select(pod => pod["spec"]!).Append(rendered.Pod).ToArray();

        Assert.Equal(2, pods.Length);
        Assert.All(pods, pod =>
        {
            Assert.Null(pod["hostNetwork"]);
            Assert.Null(pod["hostPID"]);
            Assert.Null(pod["hostIPC"]);
            Assert.True((bool)pod["securityContext"]!["runAsNonRoot"]!);
            Assert.NotEqual(0, (long)pod["securityContext"]!["runAsUser"]!);
            Assert.Equal("RuntimeDefault", (string?)pod["securityContext"]!["seccompProfile"]!["type"]);
            Assert.All(pod["volumes"]?.AsArray() ?? [], volume => Assert.Null(volume!["hostPath"]));
            Assert.All(pod["containers"]!.AsArray(), container =>
            {
                Assert.False((bool)container!["securityContext"]!["allowPrivilegeEscalation"]!);
                Assert.True((bool)container["securityContext"]!["readOnlyRootFilesystem"]!);
                Assert.Equal(["ALL"], container["securityContext"]!["capabilities"]!["drop"]!.AsArray().Select(one => (string)one!));
                Assert.Null(container["securityContext"]!["capabilities"]!["add"]);
                Assert.All(container["ports"]?.AsArray() ?? [], port => Assert.Null(port!["hostPort"]));
            });
        });
    }

    private static void Check(JsonObject one)
    {
        var exception = Record.Exception(() => KubernetesYaml.LoadAllFromString(one.ToJsonString(), null, strict: true));

        Assert.True(exception is null, $"{one["kind"]}: {exception}");
    }
}
