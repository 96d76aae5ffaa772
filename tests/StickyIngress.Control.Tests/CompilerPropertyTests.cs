using CsCheck;

namespace StickyIngress.Control.Tests;

/// <summary>Sequences of changes to a handful of files, good and broken; after each, what was compiled step by step equals what is compiled from nothing.</summary>
public sealed class CompilerPropertyTests
{
    private static readonly string[] Names = ["a", "b", "c"];

    private static readonly Gen<string> Spec = Pick(
        "servers: [{ name: s, service: { name: a } }]",
        "servers: [{ name: s, service: { name: b, port: http }, backup: false }, { name: t, address: two.test, backup: true }]",
        "servers: [{ name: s, address: \"10.0.0.1:81\" }, { name: t, address: never.test }]\n  routes: [{ hosts: [x.test], paths: [{ path: /p }] }]",
        "servers: [{ name: s, address: \"10.0.0.1:0\" }]",
        "servers: [{ name: s, address: one.test }]\n  routes: [{ hosts: [x.test] }, { hosts: [\"*.x.test\"] }]\n  sticky: { cookie: { name: c } }",
        "servers: [{ name: s, address: one.test }]\n  routes: [{ hosts: [x.test], paths: [{ path: /p }, { path: \"(\", pathType: Regex }] }]",
        "servers: [{ name: s, address: one.test, bogus: 1 }]",
        "ingressClassName: other\n  servers: [{ name: s, address: one.test }]",
        "servers: [{ name: s, address: one.test }]\n  tls: [{ secretName: gone, redirect: true }]\n  routes: [{}]",
        "servers: [{ name: s, address: one.test }]\n  sticky: { learn: { create: [$upstream_cookie_s], lookup: [$cookie_s], zone: { name: z, size: 64k } } }");

    /// <summary>Specs that are refused, though they want what others want.</summary>
    private static readonly Gen<string> Mistake = Pick(
        "servers: []\n  routes: [{ hosts: [x.test] }]",
        "servers: [{ name: s, address: \"10.0.0.1:0\" }]\n  routes: [{ hosts: [x.test], paths: [{ path: /p }] }]",
        "servers: [{ name: s, address: one.test, bogus: 1 }]\n  routes: [{ hosts: [x.test] }, { hosts: [\"*.x.test\"] }]",
        "servers: [{ name: s, address: one.test }]\n  routes: [{ hosts: [x.test], paths: [{ path: /p }, { path: \"(\", pathType: Regex }] }]",
        "servers: [{ name: s, address: one.test }]\n  sticky: { learn: { create: [$nothing], lookup: [$cookie_s], zone: { name: z, size: 64k } } }");

    private static readonly Gen<string> Document = Gen.OneOf(
        Gen.Select(Pick(Names), Spec, Upstream),
        Gen.Select(Pick(Names), Pick("{ port: 80 }", "{ name: http, port: 80 }, { name: b, port: 81 }", "{ port: 53, protocol: UDP }"),
            (name, ports) => $"apiVersion: v1\nkind: Service\nmetadata: {{ name: {name} }}\nspec: {{ ports: [{ports}] }}\n"),
        Gen.Select(Pick(Names), Pick(Names), Pick("", "name: http, "), Gen.Int[1, 3],
            (slice, service, port, address) => $"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{ name: s-{slice}, labels: {{ kubernetes.io/service-name: {service} }} }}\n"
                + $"addressType: IPv4\nports: [{{ {port}port: 8080 }}]\nendpoints: [{{ addresses: [10.1.0.{address}] }}, {{ addresses: [10.1.0.9], conditions: {{ ready: false, serving: true, terminating: true }} }}]\n"),
        Gen.Select(Pick(Names), Pick(Names), (name, target) =>
            $"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{ name: {name} }}\nspec: {{ ingressClassName: sticky, rules: [{{ host: x.test, http: {{ paths: ["
                + $"{{ path: /p, pathType: Prefix, backend: {{ resource: {{ apiGroup: stickyingress.io, kind: StickyUpstream, name: {target} }} }} }}, "
                + $"{{ path: /s, pathType: Exact, backend: {{ service: {{ name: {target}, port: {{ number: 80 }} }} }} }}] }} }}] }}\n"),
        Gen.Const("not: [yaml\n"));

    private static readonly Gen<(string File, string? Text)> Change =
        Gen.Select(Pick("1.yaml", "2.yaml", "3.yaml"), Document.Array[0, 4], Gen.Int[0, 4],
            (file, documents, kind) => (file, kind == 0 ? null : string.Join("---\n", documents)));

    [Fact]
    public void Never_throws_and_compiles_the_same_twice() => Document.Array[0, 12].Sample(documents =>
    {
        var text = string.Join("---\n", documents);
        Assert.Equal(SnapshotText.Of(new Compiling().Put(text)), SnapshotText.Of(new Compiling().Put(text)));
    }, iter: 1000);

    [Fact]
    public void A_bad_resource_changes_nothing_for_the_others() => Gen.Select(Document.Array[0, 8], Mistake).Sample((documents, mistake) =>
    {
        var others = string.Join("---\n", documents);
        var (alone, beside) = (new Compiling(), new Compiling());

        beside.Put(Upstream("bad", mistake), "0.yaml");

        Assert.Equal(LinesOfOthers(alone.Put(others)), LinesOfOthers(beside.Put(others)));
        Assert.Contains(beside.Last!.Diagnostics, found => found.Resource?.Name == "bad");
    }, iter: 1000);

    [Fact]
    public void Compiled_change_by_change_equals_compiled_at_once() => Change.Array[1, 8].Sample(changes =>
    {
        var compiling = new Compiling();
        foreach (var (file, text) in changes)
        {
            if (text is null) compiling.Remove(file);
            else compiling.Put(text, file);
        }

        // What is kept because its newer form is refused cannot be known from nothing.
        if (compiling.Last!.Diagnostics.Any(found => found.Reason == Diagnostics.Reasons.KeptLastGood)) return;
        if (compiling.Last.Upstreams.Values.Any(known => known.Written is null)) return;

        Assert.Equal(SnapshotText.Of(compiling.Afresh()), SnapshotText.Of(compiling.Last));
    }, iter: 1000);

    private static string Upstream(string name, string spec) =>
        $"apiVersion: stickyingress.io/v1alpha1\nkind: StickyUpstream\nmetadata: {{ name: {name} }}\nspec:\n  {spec}\n";

    private static string[] LinesOfOthers(Compilation.CompileResult result) =>
        [.. SnapshotText.Of(result).Split('\n').Where(line => !line.Contains("default/bad", StringComparison.Ordinal))];

    private static Gen<string> Pick(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);
}
