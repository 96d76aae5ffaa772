using System.Text;

namespace StickyIngress.Testing.Rollout;

/// <summary>The executable, told of pods by the Service and EndpointSlice documents that Kubernetes would write.</summary>
public sealed class StickyIngressProxy : IRolloutProxy
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rollout-");
    private readonly IngressProcess _process;

    public StickyIngressProxy(RolloutMode mode)
    {
        File.WriteAllText(Path.Combine(_folder.FullName, "shop.yaml"), Upstream(mode));
        _process = new(
            FreePort.Next(), FreePort.Next(), ["run", "--manifests", _folder.FullName, "--access-log", "off", "--log-level", "error"], [],
            CancellationToken.None);
    }

    public Uri Address => _process.Client.BaseAddress!;

    public async Task ApplyAsync(IReadOnlyList<Pod> pods)
    {
        var slice = new StringBuilder($"""
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {"{"} name: shop-1, namespace: default, labels: {"{"} kubernetes.io/service-name: shop {"}"} {"}"}
            addressType: IPv4
            ports: [{"{"} name: http, port: {pods[0].EndPoint.Port}, protocol: TCP {"}"}]
            endpoints:

            """);
        foreach (var pod in pods.Where(pod => !pod.IsGone))
        {
            var (ready, terminating) = pod.IsTerminating ? ("false", "true") : ("true", "false");
            slice.Append($$"""
                - addresses: ["{{pod.EndPoint.Address}}"]
                  conditions: { ready: {{ready}}, serving: true, terminating: {{terminating}} }
                  targetRef: { kind: Pod, namespace: default, name: {{pod.Name}}, uid: {{pod.Uid}} }

                """);
        }

        var written = Path.Combine(_folder.FullName, ".slice");
        await File.WriteAllTextAsync(written, slice.ToString());
        File.Move(written, Path.Combine(_folder.FullName, "slice.yaml"), overwrite: true);
    }

    public async Task<string> BreaksAsync()
    {
        const string Series = "stickyingress_affinity_breaks_total{";
        var page = await _process.MetricsAsync();
        return string.Join(", ", page.Where(line => line.StartsWith(Series, StringComparison.Ordinal)).Select(line =>
            $"{line.Split("reason=\"")[1].Split('"')[0]} {line[(line.LastIndexOf(' ') + 1)..]}"));
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static string Upstream(RolloutMode mode)
    {
        const string Common = """
            apiVersion: v1
            kind: Service
            metadata: { name: shop, namespace: default }
            spec: { ports: [{ name: http, port: 80, targetPort: http }] }
            ---
            apiVersion: stickyingress.io/v1alpha1
            kind: StickyUpstream
            metadata: { name: shop, namespace: default }
            spec:
              routes: [{ paths: [{ path: / }] }]
              servers:
              - { name: web, service: { name: shop, port: http }, routeFrom: PodName }

            """;
        const string Cookie = """
              sticky:
                cookie: { name: srv_id }
            """;
        const string Learn = """
              sticky:
                learn: { create: ["$upstream_cookie_sid"], lookup: ["$cookie_sid"], maxSessions: 100000 }
            """;
        const string Route = """
              variables:
              - { name: pod, from: "$cookie_sid", match: '^.+\.(?<pod>[\w-]+)$', value: "$pod" }
              sticky:
                route: { from: ["$pod"] }
            """;
        return Common + mode switch
        {
            RolloutMode.Cookie => Cookie,
            RolloutMode.Learn => Learn,
            _ => Route,
        };
    }
}
