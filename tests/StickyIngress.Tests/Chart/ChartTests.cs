using System.Text.Json.Nodes;
using StickyIngress.Tests.Clusters;

namespace StickyIngress.Tests.Chart;

/// <summary>What charts/sticky-ingress renders, by the real helm.</summary>
public sealed class ChartTests
{
    public static IEnumerable<string> CaseNames =>
        Directory.EnumerateFiles(Path.Combine(Helm.Chart, "ci")).Select(file => Path.GetFileName(file).Replace("-values.yaml", "")).Order();

    public static TheoryData<string> Cases => [.. CaseNames];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Helm_finds_nothing_to_complain_about(string name)
    {
        var ended = await Helm.RunAsync("lint", "--strict", Helm.Chart, "--values", Path.Combine(Helm.Chart, $"ci/{name}-values.yaml"));

        Assert.True(ended.Code == 0, ended.Output + ended.Error);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Every_object_has_a_name_a_namespace_and_our_labels(string name)
    {
        string[] ofTheCluster = ["ClusterRole", "ClusterRoleBinding", "IngressClass"];
        var rendered = await Rendered.CaseAsync(name);

        Assert.Distinct(rendered.Objects.Select(one => $"{one["kind"]}/{one["metadata"]!["namespace"]}/{one["metadata"]!["name"]}"));
        Assert.All(rendered.Objects, one => Assert.Equal(!ofTheCluster.Contains((string)one["kind"]!), one["metadata"]!["namespace"] is not null || IsExtra(one)));
        Assert.All(rendered.Objects.Where(one => !IsExtra(one)), one => Assert.Equal("sticky-ingress", (string?)one["metadata"]!["labels"]!["app.kubernetes.io/instance"]));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task The_pods_are_found_by_what_selects_them(string name)
    {
        var rendered = await Rendered.CaseAsync(name);
        var labels = rendered.Workload["spec"]!["template"]!["metadata"]!["labels"]!;

        var selectors = rendered.Kind("Service").Select(one => one["spec"]!["selector"])
            .Concat(rendered.Kind("PodDisruptionBudget").Select(one => one["spec"]!["selector"]!["matchLabels"]))
            .Concat(rendered.Kind("NetworkPolicy").Select(one => one["spec"]!["podSelector"]!["matchLabels"]))
            .Append(rendered.Workload["spec"]!["selector"]!["matchLabels"]);

        Assert.All(selectors, selector => Assert.All(selector!.AsObject(), label => Assert.Equal((string)label.Value!, (string?)labels[label.Key])));
    }

    [Fact]
    public async Task Labels_of_the_values_replace_ours_but_those_that_pods_are_found_by()
    {
        const string Name = "app\\.kubernetes\\.io/name";
        const string PartOf = "app\\.kubernetes\\.io/part-of";

        var rendered = await Rendered.ChartAsync(
            "--set", $"commonLabels.{PartOf}=shop", "--set", $"commonLabels.{Name}=other", "--set", "commonLabels.team=web", "--set", $"podLabels.{Name}=other", "--set", "podLabels.team=pods");

        var labels = rendered.Workload["metadata"]!["labels"]!;
        var ofPods = rendered.Workload["spec"]!["template"]!["metadata"]!["labels"]!;
        Assert.Equal(("shop", "sticky-ingress", "web"), ((string?)labels["app.kubernetes.io/part-of"], (string?)labels["app.kubernetes.io/name"], (string?)labels["team"]));
        Assert.Equal(("shop", "sticky-ingress", "pods"), ((string?)ofPods["app.kubernetes.io/part-of"], (string?)ofPods["app.kubernetes.io/name"], (string?)ofPods["team"]));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Services_and_probes_name_ports_that_the_container_has(string name)
    {
        var rendered = await Rendered.CaseAsync(name);
        var ports = rendered.Container["ports"]!.AsArray().Select(port => (string)port!["name"]!).ToHashSet();

        var named = rendered.Kind("Service").SelectMany(one => one["spec"]!["ports"]!.AsArray()).Select(port => (string)port!["targetPort"]!)
            .Concat(new[] { "startupProbe", "livenessProbe", "readinessProbe" }.Select(probe => (string)rendered.Container[probe]!["httpGet"]!["port"]!));

        Assert.Subset(ports, named.ToHashSet());
    }

    [Fact]
    public async Task The_store_of_shared_sessions_is_named_with_its_Secret_and_may_be_reached()
    {
        var rendered = await Rendered.CaseAsync("everything");

        Assert.Subset(
            rendered.Arguments.ToHashSet(),
            new HashSet<string>
            {
                "--sync-store=rediss://sticky@store.example.com", "--sync-prefix=edge:", "--sync-peers=true",
                "--sync-password-file=/etc/sticky-ingress/sync/password", "--sync-ca=/etc/sticky-ingress/sync/ca.crt",
            });
        Assert.Equal("/etc/sticky-ingress/sync", (string?)rendered.Container["volumeMounts"]!.AsArray().Single(one => (string?)one!["name"] == "sync")!["mountPath"]);
        Assert.Equal("sticky-store", (string?)rendered.Pod["volumes"]!.AsArray().Single(one => (string?)one!["name"] == "sync")!["secret"]!["secretName"]);
        var egress = rendered.Kind("NetworkPolicy").Single()["spec"]!["egress"]!.AsArray();
        Assert.Single(egress, rule => (string?)rule!["to"]?[0]!["ipBlock"]?["cidr"] == "192.0.2.10/32" && (long)rule["ports"]![0]!["port"]! == 6379);
    }

    [Fact]
    public async Task Without_a_store_nothing_of_it_is_rendered()
    {
        var rendered = await Rendered.ChartAsync();

        Assert.DoesNotContain(rendered.Arguments, one => one.StartsWith("--sync-", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task The_kill_comes_after_the_drain(string name)
    {
        var rendered = await Rendered.CaseAsync(name);

        var sleep = (long?)rendered.Container["lifecycle"]?["preStop"]!["sleep"]!["seconds"] ?? 0;
        var times = rendered.Arguments.Where(argument => argument.StartsWith("--shutdown-grace=", StringComparison.Ordinal) || argument.StartsWith("--drain-timeout=", StringComparison.Ordinal))
            .Sum(argument => long.Parse(argument[(argument.IndexOf('=', StringComparison.Ordinal) + 1)..].TrimEnd('s')));

        Assert.True((long)rendered.Pod["terminationGracePeriodSeconds"]! > sleep + times);
    }

    [Fact]
    public async Task The_defaults_are_two_replicas_that_are_replaced_one_by_one()
    {
        var rendered = await Rendered.CaseAsync("default");
        var spec = rendered.Workload["spec"]!;

        Assert.Equal(2, (long)spec["replicas"]!);
        Assert.Equal(0, (long)spec["strategy"]!["rollingUpdate"]!["maxUnavailable"]!);
        Assert.Equal(1, (long)rendered.One("PodDisruptionBudget", "sticky-ingress")["spec"]!["maxUnavailable"]!);
        Assert.Equal(["kubernetes.io/hostname", "topology.kubernetes.io/zone"], rendered.Pod["topologySpreadConstraints"]!.AsArray().Select(one => (string)one!["topologyKey"]!));
        Assert.Contains("--publish-service=sticky-ingress/sticky-ingress", rendered.Arguments);
    }

    [Fact]
    public async Task With_autoscaling_the_replicas_are_left_to_it()
    {
        var rendered = await Rendered.CaseAsync("everything");

        Assert.Null(rendered.Workload["spec"]!["replicas"]);
        Assert.Equal("edge", (string?)rendered.One("HorizontalPodAutoscaler", "edge")["spec"]!["scaleTargetRef"]!["name"]);
    }

    [Fact]
    public async Task A_daemon_set_has_neither_replicas_nor_a_budget()
    {
        var rendered = await Rendered.CaseAsync("daemonset");

        Assert.Equal("DaemonSet", (string?)rendered.Workload["kind"]);
        Assert.Null(rendered.Workload["spec"]!["replicas"]);
        Assert.Empty(rendered.Kind("PodDisruptionBudget"));
        Assert.Equal(30443, (long)rendered.One("Service", "sticky-ingress")["spec"]!["ports"]!.AsArray().Single(port => (string?)port!["name"] == "https")!["nodePort"]!);
    }

    [Fact]
    public async Task Without_tls_there_is_no_https_and_no_right_to_read_Secrets()
    {
        var rendered = await Rendered.CaseAsync("namespaces");

        Assert.DoesNotContain(Rbac.Uses(rendered.Objects), use => use.Contains(" secrets ", StringComparison.Ordinal));
        Assert.DoesNotContain(rendered.Arguments, argument => argument.StartsWith("--https", StringComparison.Ordinal));
        Assert.Equal(["http"], rendered.One("Service", "sticky-ingress")["spec"]!["ports"]!.AsArray().Select(port => (string)port!["name"]!));
    }

    [Fact]
    public async Task Namespaces_take_roles_in_them_and_none_in_the_cluster()
    {
        var rendered = await Rendered.CaseAsync("namespaces");

        Assert.Empty(rendered.Kind("ClusterRole"));
        Assert.Equal(["shop", "sticky-ingress", "web"], rendered.Kind("Role").Select(role => (string)role["metadata"]!["namespace"]!).Order());
        Assert.Contains("--namespace=web", rendered.Arguments);
    }

    [Theory]
    [InlineData("rbac.yaml")]
    [InlineData("rbac-namespace.yaml", "--set", "namespaces={web}")]
    public async Task The_roles_allow_what_the_manifests_do(string manifest, params string[] more)
    {
        var rendered = await Rendered.ChartAsync(more);

        Assert.Equal(Rbac.Uses(manifest).Order(), Rbac.Uses(rendered.Objects).Distinct().Order());
    }

    [Fact]
    public async Task The_lease_that_may_be_written_is_the_one_that_the_controller_takes()
    {
        var rendered = await Rendered.ChartAsync("--set", "ingressClass.name=team-a");

        var rule = rendered.One("Role", "sticky-ingress-own")["rules"]!.AsArray().Single(rule => rule!["resourceNames"] is not null)!;

        var options = ClusterRegistration.OptionsOf(SettingsTests.Read(["--ingress-class=team-a"])!);
        Assert.Equal([options.LeaseName], rule["resourceNames"]!.AsArray().Select(name => (string)name!));
    }

    [Fact]
    public async Task The_arguments_are_ones_that_the_program_takes()
    {
        var rendered = await Rendered.CaseAsync("everything");

        var ended = await StickyProcess.RunAsync([.. rendered.Arguments.Where(argument => argument != "--kubernetes"), "--manifests=/nowhere"]);

        Assert.Equal("--manifests is \"/nowhere\"; it must be a directory", ended.Error.Trim());
    }

    [Fact]
    public async Task Values_reach_the_Service()
    {
        var rendered = await Rendered.CaseAsync("everything");
        var (front, inside) = (rendered.One("Service", "edge")["spec"]!, rendered.One("Service", "edge-internal"));

        Assert.Equal("example.com/nlb", (string?)front["loadBalancerClass"]);
        Assert.Equal("Local", (string?)front["externalTrafficPolicy"]);
        Assert.Equal(["IPv6", "IPv4"], front["ipFamilies"]!.AsArray().Select(family => (string)family!));
        Assert.Equal(["http", "https", "kubernetes.io/h2c"], front["ports"]!.AsArray().Select(port => (string)port!["appProtocol"]!));
        Assert.Equal("true", (string?)inside["metadata"]!["annotations"]!["example.com/internal"]);
    }

    [Fact]
    public async Task Objects_of_the_operator_are_rendered_with_their_templates_evaluated()
    {
        var rendered = await Rendered.CaseAsync("everything");

        Assert.Equal("sticky", (string?)rendered.One("ConfigMap", "edge-extra")["data"]!["class"]);
    }

    [Fact]
    public async Task The_dashboard_is_found_by_Grafanas_sidecar()
    {
        var rendered = await Rendered.CaseAsync("everything");
        var map = rendered.One("ConfigMap", "edge-dashboard");

        Assert.Equal("1", (string?)map["metadata"]!["labels"]!["grafana_dashboard"]);
        Assert.Equal("StickyIngress", (string?)JsonNode.Parse((string)map["data"]!["sticky-ingress.json"]!)!["title"]);
    }

    [Fact]
    public async Task Monitors_keep_our_own_label_namespace()
    {
        var rendered = await Rendered.CaseAsync("everything");

        Assert.True((bool)rendered.One("ServiceMonitor", "edge")["spec"]!["endpoints"]![0]!["honorLabels"]!);
        Assert.True((bool)rendered.One("PodMonitor", "edge")["spec"]!["podMetricsEndpoints"]![0]!["honorLabels"]!);
    }

    private static bool IsExtra(JsonObject one) => ((string)one["metadata"]!["name"]!).EndsWith("-extra", StringComparison.Ordinal);
}
