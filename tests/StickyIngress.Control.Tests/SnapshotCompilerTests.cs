using System.Net;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Sources;

namespace StickyIngress.Control.Tests;

public sealed class SnapshotCompilerTests
{
    private const string Head = "apiVersion: stickyingress.io/v1alpha1\nkind: StickyUpstream\n";
    private const string Service = "apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { ports: [{ port: 80 }] }\n";

    private readonly Compiling _compiling = new();

    [Fact]
    public void A_refused_spec_leaves_the_last_good_one_in_service_with_the_endpoints_of_now()
    {
        _compiling.Put(Service, "service.yaml");
        _compiling.Put(Slice("10.0.0.1"), "slice.yaml");
        _compiling.Put(Upstream("u", "weight: 3"));

        var refused = _compiling.Put(Upstream("u", "weight: 4", more: "balancing: { method: Hash, hash: { key: $nosuch } }"));
        _compiling.Put(Slice("10.0.0.1", "10.0.0.2"), "slice.yaml");

        Assert.Equal([Reasons.UnknownVariable, Reasons.KeptLastGood], Compiling.Reasons(refused));
        Assert.False(refused.Statuses[Ref("u")].Programmed);
        Assert.Equal([3, 3], _compiling.Upstream().Peers.Select(peer => peer.Weight));
    }

    [Theory]
    [InlineData("path: /;x", "path", "/;x")]
    [InlineData("domain: a;b", "domain", "a;b")]
    [InlineData("domain: \"a\\r\\nSet-Cookie: b=c\"", "domain", "a\r\nSet-Cookie: b=c")]
    public void What_cannot_stand_in_a_cookie_is_refused(string attribute, string field, string value)
    {
        var result = _compiling.Put($$"""
            {{Head}}metadata: { name: u }
            spec:
              sticky:
                cookie:
                  name: c
                  {{attribute}}
              servers: [{ name: a, address: 10.0.0.1 }]
            """);

        var found = Assert.Single(result.Diagnostics);
        Assert.Equal((Reasons.InvalidCookieAttribute, $"spec.sticky.cookie.{field}"), (found.Reason, found.Field));
        Assert.Equal($"\"{value}\" cannot stand in a cookie: printable ASCII without ';' can", found.Message);
    }

    [Theory]
    [InlineData(65535, 59465, "consistent: true", null)]
    [InlineData(65535, 59466, "consistent: true", "weight is 59466, which makes 125001 with the servers before; with a consistent hash all weights together may be at most 125000")]
    [InlineData(65535, 65535, "consistent: false", null)]
    public void A_ring_of_more_points_than_memory_should_hold_is_refused(int first, int second, string kind, string? message)
    {
        var result = _compiling.Put($$"""
            {{Head}}metadata: { name: u }
            spec:
              balancing: { method: Hash, hash: { key: $uri, {{kind}} } }
              servers: [{ name: a, address: 10.0.0.1, weight: {{first}}, down: true }, { name: b, address: 10.0.0.2, weight: {{second}}, down: true }]
            """);

        Assert.Equal(message, result.Diagnostics.SingleOrDefault()?.Message);
        Assert.All(result.Diagnostics, found => Assert.Equal((Reasons.RingTooLarge, "spec.servers[1].weight"), (found.Reason, found.Field)));
    }

    [Fact]
    public void Endpoints_that_make_a_ring_too_large_are_told_and_served()
    {
        _compiling.Put(Service, "service.yaml");
        _compiling.Put(Upstream("u", "weight: 65535", more: "balancing: { method: Hash, hash: { key: $uri, consistent: true } }"));

        var result = _compiling.Put(Slice("10.0.0.1", "10.0.0.2"), "slice.yaml");

        var found = Assert.Single(result.Diagnostics);
        Assert.Equal((Severity.Warning, Reasons.RingTooLarge, "spec.balancing.hash.consistent"), (found.Severity, found.Reason, found.Field));
        Assert.Equal(2, _compiling.Upstream().Primaries.Peers.Length);
        Assert.True(result.Statuses[Ref("u")].Programmed);
    }

    [Fact]
    public void A_mended_spec_serves_and_nothing_is_told_any_more()
    {
        _compiling.Put(Service, "service.yaml");
        _compiling.Put(Upstream("u", "weight: 3"));
        _compiling.Put(Upstream("u", "weight: 4", more: "balancing: { method: Hash, hash: { key: $nosuch } }"));

        var mended = _compiling.Put(Upstream("u", "weight: 5"));

        Assert.Empty(mended.Diagnostics);
        Assert.True(Assert.Single(mended.ChangedStatuses).Programmed);
    }

    [Fact]
    public void A_document_that_cannot_be_read_keeps_what_it_was()
    {
        _compiling.Put(Address("u", "10.0.0.1") + "---\n" + Address("v", "10.0.0.2"));

        var broken = _compiling.Put(Address("u", "10.0.0.1", "bogus: 1") + "---\n" + Address("v", "10.0.0.9"));

        Assert.Equal("10.0.0.1:80", Assert.Single(_compiling.Upstream().Peers).Name);
        Assert.Equal("10.0.0.9:80", Assert.Single(_compiling.Upstream("v").Peers).Name);
        Assert.False(broken.Statuses[Ref("u")].Programmed);
        Assert.True(broken.Statuses[Ref("v")].Programmed);
    }

    [Fact]
    public void A_peer_keeps_its_state_for_as_long_as_it_exists()
    {
        _compiling.Put(Service, "service.yaml");
        _compiling.Put(Slice("10.0.0.1", "10.0.0.2"), "slice.yaml");
        _compiling.Put(Upstream("u", "weight: 1"));
        var before = _compiling.Upstream().Peers.ToDictionary(peer => peer.Name, peer => peer.State);

        _compiling.Put(Slice("10.0.0.2", "10.0.0.3"), "slice.yaml");

        var after = _compiling.Upstream().Peers.ToDictionary(peer => peer.Name, peer => peer.State);
        Assert.Same(before["10.0.0.2:8080"], after["10.0.0.2:8080"]);
        Assert.DoesNotContain(after["10.0.0.3:8080"], before.Values);
    }

    [Fact]
    public void A_changed_slice_compiles_its_upstream_alone_and_leaves_routes_and_positions()
    {
        _compiling.Put(Service, "service.yaml");
        _compiling.Put(Slice("10.0.0.1"), "slice.yaml");
        _compiling.Put(Upstream("u", "weight: 1", more: "routes: [{ hosts: [u.test] }]") + "---\n" + Address("other", "10.0.0.1"));
        var (before, other) = (_compiling.Last!.Snapshot, _compiling.Upstream("other"));

        var after = _compiling.Put(Slice("10.0.0.1", "10.0.0.2"), "slice.yaml");

        Assert.Same(before.Routes, after.Snapshot.Routes);
        Assert.Same(before.Positions, after.Snapshot.Positions);
        Assert.Same(other, _compiling.Upstream("other"));
        Assert.Equal("default/u", Assert.Single(after.Changes).Current!.Name.ToString());
    }

    [Fact]
    public void A_compile_of_the_same_resources_changes_nothing()
    {
        _compiling.Put(Address("u", "10.0.0.1"));
        var before = _compiling.Last!;

        var again = _compiling.Compile(_compiling.Resources);

        Assert.Same(before.Snapshot, again.Snapshot);
        Assert.Empty(again.ChangedStatuses);
    }

    [Fact]
    public void A_set_that_skips_versions_is_compared_with_the_one_before()
    {
        _compiling.Put(Address("u", "10.0.0.1"));
        var other = _compiling.Upstream();

        var set = _compiling.Resources;
        _compiling.Compile(set with
        {
            Version = set.Version + 7,
            Changed = null,
            Upstreams = set.Upstreams.SetItem(Ref("v"), set.Upstreams[Ref("u")] with { Metadata = new() { Name = "v" } }),
        });

        Assert.Same(other, _compiling.Upstream());
        Assert.NotNull(_compiling.Last!.Snapshot.Find(new("default", "v")));
    }

    [Fact]
    public void A_name_that_resolves_later_changes_its_upstream_alone()
    {
        _compiling.Names = AddressBook.Empty;
        var first = _compiling.Put(Address("u", "late.test:81") + "---\n" + Address("v", "10.0.0.1"));
        var other = _compiling.Upstream("v");
        Assert.Equal(["late.test"], first.Names.Hosts);
        Assert.Empty(_compiling.Upstream().Peers);

        _compiling.Names = new(AddressBook.Empty.Hosts.Add("late.test", new([IPAddress.Parse("10.0.0.7")], null)));
        _compiling.Compile(_compiling.Resources);

        Assert.Equal("10.0.0.7:81", Assert.Single(_compiling.Upstream().Peers).Name);
        Assert.Same(other, _compiling.Upstream("v"));
    }

    [Fact]
    public void The_zone_goes_to_the_next_when_its_owner_is_deleted()
    {
        const string learn = "sticky: { learn: { create: [$upstream_cookie_s], lookup: [$cookie_s], zone: { name: z, size: 64k } } }";
        _compiling.Put(Address("a", "10.0.0.1", learn), "a.yaml");
        var conflict = _compiling.Put(Address("b", "10.0.0.2", learn), "b.yaml");
        Assert.Equal([Reasons.Conflicted], Compiling.Reasons(conflict));

        var freed = _compiling.Remove("a.yaml");

        Assert.Empty(freed.Diagnostics);
        Assert.NotNull(freed.Snapshot.Find(new("default", "b")));
    }

    [Fact]
    public void A_resource_in_two_files_serves_from_the_first_and_is_programmed()
    {
        _compiling.Put(Address("u", "10.0.0.1"), "a.yaml");

        var twice = _compiling.Put(Address("u", "10.0.0.2"), "b.yaml");

        Assert.Equal([Reasons.DuplicateResource], Compiling.Reasons(twice));
        Assert.True(twice.Statuses[Ref("u")].Programmed);
        Assert.Equal("10.0.0.1:80", Assert.Single(_compiling.Upstream().Peers).Name);
    }

    [Fact]
    public void A_deleted_upstream_is_gone_with_its_status()
    {
        _compiling.Put(Address("u", "10.0.0.1"));

        var gone = _compiling.Remove("a.yaml");

        Assert.Empty(gone.Snapshot.Upstreams);
        Assert.Empty(gone.Statuses);
        Assert.True(Assert.Single(gone.ChangedStatuses).Gone);
        Assert.Null(Assert.Single(gone.Changes).Current);
    }

    internal static string Upstream(string name, string server, string more = "") =>
        $"{Head}metadata: {{ name: {name} }}\nspec:\n  servers: [{{ name: web, service: {{ name: web }}, {server} }}]\n  {more}\n";

    internal static string Address(string name, string address, string more = "") =>
        $"{Head}metadata: {{ name: {name} }}\nspec:\n  servers: [{{ name: a, address: \"{address}\" }}]\n  {more}\n";

    internal static string Slice(params string[] addresses) =>
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: web-1, labels: { kubernetes.io/service-name: web } }\n"
        + "addressType: IPv4\nports: [{ port: 8080 }]\nendpoints:\n" + string.Concat(addresses.Select(address => $"- {{ addresses: [{address}] }}\n"));

    private static ResourceRef Ref(string name) => new(StickyUpstream.KindName, "default", name);
}
