using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Tests;

public sealed class TlsTests
{
    private readonly Compiling _compiling = new();

    [Fact]
    public void Certificates_are_found_by_exact_name_then_wildcard_then_default()
    {
        _compiling.Put(Secret("one", Certificate("one.test", "*.one.test")) + "---\n" + Secret("two", Certificate("two.test", "x.one.test")));
        var result = _compiling.Put(Upstream("a", "{ secretName: one }") + "---\n" + Upstream("b", "{ secretName: two, hosts: [x.one.test] }"), "b.yaml");

        var table = result.Snapshot.Certificates;
        Assert.Equal("default/one", table.Find("ONE.test.")!.ToString());
        Assert.Equal("default/one", table.Find("y.one.test")!.ToString());
        Assert.Equal("default/two", table.Find("x.one.test")!.ToString());
        Assert.Equal("default/one", table.Find("z.y.one.test")!.ToString()); // the wildcard is for one label, so this is the default
        Assert.Equal("default/one", table.Find(null)!.ToString());
        Assert.Empty(result.Diagnostics);
    }

    [Fact]
    public void A_host_goes_to_the_certificate_that_came_first()
    {
        _compiling.Put(Secret("one", Certificate("x.test")) + "---\n" + Secret("two", Certificate("x.test")));

        var result = _compiling.Put(
            Upstream("a", "{ secretName: one, hosts: [x.test] }") + "---\n" + Upstream("b", "{ secretName: two, hosts: [x.test] }"), "b.yaml");

        Assert.Equal("default/one", result.Snapshot.Certificates.Find("x.test")!.ToString());
        Assert.Equal([Reasons.Conflicted], Compiling.Reasons(result));
    }

    [Theory]
    [InlineData("hosts: [x.one.test, two.test]", "x.one.test: x.one.test")]
    [InlineData("hosts: ['*.one.test']", "*.one.test: x.one.test y.one.test")]
    [InlineData("hosts: ['*.test']", "*.test: x.one.test y.one.test")]
    [InlineData("paths: [{ path: / }]", "any host: x.one.test y.one.test")]
    [InlineData("hosts: [one.test]", "")]
    public void Redirects_the_hosts_of_the_certificate_and_no_others(string route, string expected)
    {
        string[] hosts = ["x.one.test", "y.one.test", "one.test", "two.test", "one.test.two", "xone.test"];
        _compiling.Put(Secret("one", Certificate("*.one.test")));

        var result = _compiling.Put(Upstream("a", "{ secretName: one, redirect: true }", $"routes: [{{ {route} }}]"), "b.yaml");

        var told = result.Routes.Where(placed => placed.Route.Https is not null)
            .Select(placed => $"{placed.Host}: {string.Join(' ', hosts.Where(host => placed.Host.Matches(host) && placed.Route.Https!.Contain(host)))}");
        Assert.Equal(expected, string.Join("; ", told));
    }

    [Theory]
    [InlineData("type: Opaque", Reasons.InvalidSecret)]
    [InlineData("no certificate", Reasons.InvalidSecret)]
    [InlineData("no key", Reasons.InvalidSecret)]
    [InlineData("not PEM", Reasons.InvalidSecret)]
    [InlineData("another's key", Reasons.InvalidSecret)]
    [InlineData("expired", Reasons.CertificateExpired)]
    [InlineData("missing", Reasons.SecretNotFound)]
    public void A_Secret_that_cannot_be_used_is_told_and_the_upstream_serves(string what, string reason)
    {
        var (certificate, key) = Certificate("one.test");
        _compiling.Put(what switch
        {
            "type: Opaque" => Secret("one", (certificate, key), "Opaque"),
            "no certificate" => Secret("one", ("", key)),
            "no key" => Secret("one", (certificate, "")),
            "not PEM" => Secret("one", ("certificate", key)),
            "another's key" => Secret("one", (certificate, Certificate("one.test").Key)),
            "expired" => Secret("one", Certificate(new DateTimeOffset(2025, 6, 1, 0, 0, 0, TimeSpan.Zero), "one.test")),
            _ => "",
        });

        var result = _compiling.Put(Upstream("a", "{ secretName: one }"), "b.yaml");

        Assert.Equal([reason], Compiling.Reasons(result));
        Assert.Single(_compiling.Upstream("a").Peers);
        Assert.DoesNotContain(result.Diagnostics, found => found.Message.Contains("BEGIN", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("one.test")]
    [InlineData("ONE.test.")]
    [InlineData("a.wild.test")]
    [InlineData("*.wild.test")]
    [InlineData("10.0.0.1")]
    [InlineData("x.test", "spec.tls[0].hosts[0]")]
    [InlineData("a.one.test", "spec.tls[0].hosts[0]")]
    [InlineData("a.b.wild.test", "spec.tls[0].hosts[0]")]
    [InlineData("wild.test", "spec.tls[0].hosts[0]")]
    [InlineData("one.test, *.one.test", "spec.tls[0].hosts[1]")]
    public void A_host_that_the_certificate_is_not_for_is_told(string hosts, params string[] fields)
    {
        _compiling.Put(Secret("one", Certificate("one.test", "*.wild.test")));

        var result = _compiling.Put(Upstream("a", $$"""{ secretName: one, hosts: [{{string.Join(", ", hosts.Split(", ").Select(host => $"\"{host}\""))}}] }"""), "b.yaml");

        Assert.Equal(fields.Select(field => (Severity.Warning, Reasons.CertificateMismatch, field)), result.Diagnostics.Select(found => (found.Severity, found.Reason, found.Field)));
        Assert.Equal("default/one", result.Snapshot.Certificates.Find(hosts.Split(", ")[0].Replace("*", "a"))!.ToString());
    }

    [Fact]
    public void An_Ingress_brings_certificates_for_its_hosts_and_without_hosts_the_default()
    {
        _compiling.Put(Secret("one", Certificate("one.test")) + "---\n" + Secret("two", Certificate("two.test")));

        var result = _compiling.Put("""
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata: { name: shop }
            spec:
              ingressClassName: sticky
              tls: [{ secretName: two }, { hosts: [one.test, other.test], secretName: one }]
            """, "b.yaml");

        var table = result.Snapshot.Certificates;
        Assert.Equal(["default/one", "default/two", "default/two"], new[] { "one.test", "nobody.test", null }.Select(name => table.Find(name)!.ToString()));
        Assert.Equal([(Reasons.CertificateMismatch, "spec.tls[1].hosts[1]")], result.Diagnostics.Select(found => (found.Reason, found.Field)));
    }

    [Fact]
    public void A_certificate_that_ends_while_it_serves_is_told_then_without_any_change()
    {
        var end = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
        _compiling.Put(Secret("one", Certificate(end, "one.test")) + "---\n" + Secret("two", Certificate("two.test")));
        var fresh = _compiling.Put(Upstream("a", "{ secretName: one }") + "---\n" + Upstream("b", "{ secretName: two }"), "b.yaml");
        Assert.Equal((0, end), (fresh.Diagnostics.Length, fresh.NextExpiry));

        _compiling.Time.SetUtcNow(end);
        var ended = _compiling.Compile(_compiling.Resources);

        Assert.Equal([Reasons.CertificateExpired], Compiling.Reasons(ended));
        Assert.Equal("a", Assert.Single(ended.ChangedStatuses).Resource.Name);
        Assert.Equal(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero), ended.NextExpiry);
    }

    [Fact]
    public void A_certificate_that_nobody_uses_any_more_is_not_waited_for()
    {
        _compiling.Put(Secret("one", Certificate("one.test")));
        _compiling.Put(Upstream("a", "{ secretName: one }"), "b.yaml");

        var result = _compiling.Put(Secret("one", ("", "")) + "---\n" + SnapshotCompilerTests.Address("c", "10.0.0.1"));
        Assert.Null(result.NextExpiry);
    }

    [Fact]
    public void A_renewed_Secret_changes_the_certificate_and_not_the_state_of_the_peers()
    {
        _compiling.Put(Secret("one", Certificate("one.test")));
        _compiling.Put(Upstream("a", "{ secretName: one }"), "b.yaml");
        var (before, peer) = (_compiling.Last!.Snapshot.Certificates.Default!, Assert.Single(_compiling.Upstream("a").Peers));

        _compiling.Put(Secret("one", Certificate("one.test")));

        Assert.NotEqual(before.CertificatePem, _compiling.Last!.Snapshot.Certificates.Default!.CertificatePem);
        Assert.Same(peer.State, Assert.Single(_compiling.Upstream("a").Peers).State);
    }

    [Fact]
    public void Authorities_that_cannot_be_read_leave_nobody_to_trust()
    {
        var none = _compiling.Put(Upstream("a", "", "proxy: { tls: { caSecretName: ca } }\n  routes: [{}]"), "b.yaml");
        Assert.Equal("", Assert.Single(none.Routes).Route.Proxy.Tls.CaPem);

        var some = _compiling.Put(Secret("ca", Certificate("ca.test")).Replace("tls.crt", "ca.crt"), "ca.yaml");

        Assert.Contains("BEGIN CERTIFICATE", Assert.Single(some.Routes).Route.Proxy.Tls.CaPem);
        Assert.Empty(some.Diagnostics);
    }

    private static string Upstream(string name, string tls, string more = "") =>
        SnapshotCompilerTests.Address(name, "10.0.0.1", $"tls: [{tls}]\n  {more}");

    internal static string Secret(string name, (string Certificate, string Key) tls, string type = "kubernetes.io/tls") =>
        $"apiVersion: v1\nkind: Secret\nmetadata: {{ name: {name} }}\ntype: {type}\ndata:\n"
        + $"  tls.crt: \"{Base64(tls.Certificate)}\"\n  tls.key: \"{Base64(tls.Key)}\"\n";

    private static string Base64(string text) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));

    internal static (string Certificate, string Key) Certificate(params string[] names) =>
        Certificate(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero), names);

    internal static (string Certificate, string Key) Certificate(DateTimeOffset end, params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={names[0]}", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names) alternatives.AddDnsName(name);
        request.CertificateExtensions.Add(alternatives.Build());
        using var certificate = request.CreateSelfSigned(end.AddYears(-1), end);
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }
}
