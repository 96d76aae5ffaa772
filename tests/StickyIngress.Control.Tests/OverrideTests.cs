using StickyIngress.Core.Balancing;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Tests;

/// <summary>What was changed at run time, through compile after compile.</summary>
public sealed class OverrideTests
{
    private const string Service = "apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { ports: [{ port: 80 }] }\n";

    private readonly Compiling _compiling = new();

    public OverrideTests()
    {
        _compiling.Put(Service, "service.yaml");
        _compiling.Put(Slice("web-0", "web-1"), "slice.yaml");
        _compiling.Put(Upstream());
    }

    [Fact]
    public void A_change_compiles_its_upstream_and_no_other()
    {
        _compiling.Put(Upstream("v"), "v.yaml");
        var other = _compiling.Upstream("v");

        Change("web-0", change => change with { Drain = true, Weight = 7 });

        Assert.Equal(["web-0 draining 7", "web-1 2"], Peers());
        Assert.Same(other, _compiling.Upstream("v"));
    }

    [Fact]
    public void It_holds_through_changes_of_the_spec_and_of_other_endpoints_and_while_the_peer_is_away()
    {
        Change("web-0", change => change with { Down = true });

        _compiling.Put(Slice("web-0", "web-1", "web-2"), "slice.yaml");
        _compiling.Put(Upstream(more: "maxConns: 9"));
        Assert.Equal(["web-0 down 2", "web-1 2", "web-2 2"], Peers());

        _compiling.Put(Slice("web-2"), "slice.yaml");
        _compiling.Put(Slice("web-0", "web-2"), "slice.yaml");
        Assert.Equal(["web-0 down 2", "web-2 2"], Peers());
    }

    [Fact]
    public void Another_pod_of_that_name_is_as_configured()
    {
        Change("web-0", change => change with { Down = true });

        _compiling.Put(Slice("web-0/other", "web-1"), "slice.yaml");

        Assert.Equal(["web-0 2", "web-1 2"], Peers());
    }

    [Fact]
    public void What_is_taken_back_is_as_configured_now()
    {
        Change("web-0", change => change with { Weight = 9, Drain = true });
        _compiling.Put(Upstream(more: "drain: true"));
        Assert.Equal(["web-0 draining 9", "web-1 draining 2"], Peers());

        Change("web-0", change => change with { Weight = null, Drain = false });
        Assert.Equal(["web-0 2", "web-1 draining 2"], Peers());

        Change("web-0", change => change with { Drain = null });
        Assert.Equal(["web-0 draining 2", "web-1 draining 2"], Peers());
    }

    [Fact]
    public void A_pod_that_is_about_to_go_drains_whatever_was_set()
    {
        Change("web-0", change => change with { Drain = false });

        _compiling.Put(Slice("web-0!", "web-1"), "slice.yaml");

        Assert.Equal(["web-0 draining 2", "web-1 2"], Peers());
    }

    [Fact]
    public void Where_all_others_are_set_down_a_pod_that_is_about_to_go_takes_new_clients()
    {
        _compiling.Put(Slice("web-0!", "web-1"), "slice.yaml");

        Change("web-1", change => change with { Down = true });

        Assert.Equal(["web-0 2", "web-1 down 2"], Peers());
    }

    [Fact]
    public void A_ring_is_that_of_the_weights_that_were_set()
    {
        const string hash = "balancing: { method: Hash, hash: { key: $uri, consistent: true } }";
        _compiling.Put(Upstream(spec: hash));
        Change("web-0", change => change with { Weight = 6 });

        Assert.IsType<ConsistentHashBalancer>(_compiling.Upstream().Balancer);
        Assert.Equal(8, _compiling.Upstream().Primaries.TotalWeight);
        Assert.Equal(["web-0 6", "web-1 2"], Peers());
    }

    [Fact]
    public void An_upstream_of_an_Ingress_backend_can_be_changed_too()
    {
        _compiling.Put("""
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata: { name: i }
            spec: { ingressClassName: sticky, defaultBackend: { service: { name: web, port: { number: 80 } } } }
            """, "ingress.yaml");

        Change("web-1", change => change with { Down = true }, "web:80");

        Assert.Equal(["web-0 1", "web-1 down 1"], Peers("web:80"));
    }

    [Fact]
    public void What_is_set_before_the_first_compile_is_in_the_first_snapshot()
    {
        var restarted = new Compiling();
        foreach (var (peer, change) in Changed("web-1", new PeerOverride(Drain: true))) restarted.Overrides.Change(peer, _ => change);

        restarted.Put(Service + "---\n" + Slice("web-0", "web-1") + "---\n" + Upstream());

        Assert.Equal(["web-0 2", "web-1 draining 2"], restarted.Upstream().Peers.Select(Text));
    }

    private IEnumerable<(PeerRef Peer, PeerOverride Override)> Changed(string label, PeerOverride change)
    {
        Change(label, _ => change);
        return _compiling.Overrides.Current.All;
    }

    private void Change(string label, Func<PeerOverride, PeerOverride> change, string upstream = "u")
    {
        _compiling.Overrides.Change(_compiling.Upstream(upstream).Peers.Single(peer => peer.Label == label).State.Peer, change);
        _compiling.Compile(_compiling.Resources);
    }

    private IEnumerable<string> Peers(string upstream = "u") => _compiling.Upstream(upstream).Peers.Select(Text);

    private static string Text(Peer peer) => $"{peer.Label}{(peer.Down ? " down" : "")}{(peer.Draining ? " draining" : "")} {peer.Weight}";

    private static string Upstream(string name = "u", string more = "maxConns: 0", string spec = "") =>
        $"apiVersion: stickyingress.io/v1alpha1\nkind: StickyUpstream\nmetadata: {{ name: {name} }}\n"
        + $"spec:\n  servers: [{{ name: s, service: {{ name: web, port: 80 }}, weight: 2, {more} }}]\n  {spec}\n";

    /// <summary>Pods by name, with ! where they terminate and serve, and with another UID after a slash.</summary>
    private static string Slice(params string[] pods) =>
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: web-1, labels: { kubernetes.io/service-name: web } }\n"
        + "addressType: IPv4\nports: [{ port: 8080 }]\nendpoints:\n" + string.Concat(pods.Select(pod =>
        {
            var name = pod.TrimEnd('!').Split('/')[0];
            var conditions = pod.EndsWith('!') ? ", conditions: { ready: false, serving: true, terminating: true }" : "";
            return $"- {{ addresses: [10.0.0.{name[^1]}]{conditions}, targetRef: {{ kind: Pod, name: {name}, uid: uid-of-{pod.TrimEnd('!')} }} }}\n";
        }));
}
