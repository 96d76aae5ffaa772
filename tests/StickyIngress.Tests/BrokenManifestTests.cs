using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>A mistake in a manifest is told in every place where one would look, and nothing else notices.</summary>
public sealed class BrokenManifestTests : IAsyncLifetime
{
    private const string Service = """
        apiVersion: v1
        kind: Service
        metadata: { name: web }
        spec: { ports: [{ name: http, port: 80 }] }
        """;

    private Backends _servers = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _servers = await Backends.StartAsync("a", "b");

    public ValueTask DisposeAsync() => _servers.DisposeAsync();

    [Theory]
    [InlineData("bogus: 1", "spec.bogus", "UnknownField")]
    [InlineData("queue: { size: many }", "spec.queue.size", "WrongType")]
    [InlineData("balancing: { method: Hash, hash: { key: $nosuch } }", "spec.balancing.hash.key", "UnknownVariable")]
    public async Task A_refused_resource_keeps_its_last_good_version(string mistake, string field, string reason)
    {
        using var manifests = With(Good("shop", 0));
        manifests.Write("other.yaml", Good("other", 1));
        await using var process = await StickyProcess.ServeAsync(manifests);
        await using var load = Load.On(process, "/other");
        await load.AnswersAsync(20);

        manifests.Write("upstreams.yaml", Upstream("shop", [_servers[1].Address], mistake));
        await process.LogsAsync($"[{reason}]");

        await AssertToldAsync(process, manifests.PathOf("upstreams.yaml"), "default/shop", field, reason);
        Assert.Equal("a", await process.GetAsync("/shop"));

        manifests.Write("upstreams.yaml", Upstream("shop", [_servers[1].Address]));
        await Eventually.HoldsAsync(async () => await process.GetAsync("/shop") == "b", "the mended version serves", Stop);
        await Eventually.HoldsAsync(async () => (await process.ApiAsync("diagnostics")).GetArrayLength() == 0, "nothing is wrong any more", Stop);
        await load.EndAsync();
        Assert.Empty(load.Failures);
        Assert.Equal(0, await process.MetricAsync("stickyingress_resource_diagnostics{severity=\"error\"}"));
    }

    [Fact]
    public async Task A_file_that_stops_being_YAML_keeps_its_last_good_content()
    {
        using var manifests = With(Good("shop", 0));
        manifests.Write("other.yaml", Good("other", 1));
        await using var process = await StickyProcess.ServeAsync(manifests);
        await using var load = Load.On(process, "/other");

        manifests.Write("upstreams.yaml", "spec: [");
        await process.LogsAsync("upstreams.yaml");

        var told = (await process.ApiAsync("diagnostics")).EnumerateArray().Single(one => one.GetProperty("severity").GetString() == "error");
        Assert.Equal(manifests.PathOf("upstreams.yaml"), told.GetProperty("file").GetString());
        Assert.Equal(1, await process.MetricAsync("stickyingress_resource_diagnostics{severity=\"error\"}"));
        Assert.Equal("a", await process.GetAsync("/shop"));
        await load.EndAsync();
        Assert.Empty(load.Failures);
        var validated = await StickyProcess.RunAsync(["validate", manifests.Folder]);
        Assert.Equal(1, validated.Code);
        Assert.StartsWith(manifests.PathOf("upstreams.yaml") + ": ", validated.Output);
    }

    [Theory]
    [InlineData("{ name: nowhere, port: http }", "spec.servers[0].service.name", "ServiceNotFound")]
    [InlineData("{ name: web, port: https }", "spec.servers[0].service.port", "PortNotFound")]
    [InlineData("{ name: web, port: 81 }", "spec.servers[0].service.port", "PortNotFound")]
    public async Task A_reference_that_does_not_resolve_is_told_and_answered_503(string service, string field, string reason)
    {
        using var manifests = With(Service, $$"""
            apiVersion: stickyingress.io/v1alpha1
            kind: StickyUpstream
            metadata: { name: shop }
            spec:
              routes: [{ paths: [{ path: /shop }] }]
              servers: [{ name: web, service: {{service}} }]
            """);
        manifests.Write("other.yaml", Good("other", 1));
        await using var process = await StickyProcess.ServeAsync(manifests);

        await process.LogsAsync($"[{reason}]");
        await AssertToldAsync(process, manifests.PathOf("upstreams.yaml"), "default/shop", field, reason);
        using var response = await process.Client.GetAsync("/shop", Stop);
        Assert.Equal(503, (int)response.StatusCode);
        Assert.Equal("b", await process.GetAsync("/other"));
    }

    /// <summary>In the log, the metrics, the API and by validate.</summary>
    private static async Task AssertToldAsync(StickyProcess process, string file, string resource, string field, string reason)
    {
        var told = (await process.ApiAsync("diagnostics")).EnumerateArray().Single(one => one.GetProperty("reason").GetString() == reason);
        Assert.Equal(("error", file, field), (told.GetProperty("severity").GetString(), told.GetProperty("file").GetString(), told.GetProperty("field").GetString()));
        Assert.All(told.EnumerateObject().Where(property => property.Name == "line"), line => Assert.True(line.Value.GetInt32() > 0, "lines begin with 1"));
        Assert.True(await process.MetricAsync("stickyingress_resource_diagnostics{severity=\"error\"}") >= 1);

        var validated = await StickyProcess.RunAsync(["validate", file, Path.Combine(Path.GetDirectoryName(file)!, "other.yaml")]);
        Assert.Equal(1, validated.Code);
        Assert.Contains(validated.Output.Split('\n'), line =>
            line.StartsWith($"{file}: {resource}: {field}: ", StringComparison.Ordinal) && line.EndsWith($" [{reason}]", StringComparison.Ordinal));
    }

    private string Good(string name, int server) => Upstream(name, [_servers[server].Address]);
}
