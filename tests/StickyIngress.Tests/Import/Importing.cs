using System.Collections.Immutable;
using System.Net;
using StickyIngress.Api;
using StickyIngress.Commands;
using StickyIngress.Control.Compilation;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Sources;
using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Cookies;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Tests.Import;

/// <summary>What the command makes of a configuration, and what the real compiler makes of that.</summary>
internal sealed record Importing(int ExitCode, string Yaml, string Said)
{
    public static async Task<Importing> RunAsync(string configuration, params string[] options)
    {
        var folder = Directory.CreateTempSubdirectory("import-nginx");
        try
        {
            var file = Path.Combine(folder.FullName, "nginx.conf");
            await File.WriteAllTextAsync(file, configuration, TestContext.Current.CancellationToken);
            return await RunFileAsync(file, options);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    public static async Task<Importing> RunFileAsync(string file, params string[] options)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await CommandLine.RunAsync(["import-nginx", file, .. options], output, error);
        return new(exitCode, output.ToString(), error.ToString());
    }

    public IReadOnlyList<StickyUpstream> Resources => [.. ResourceYaml.Read(Yaml, "imported.yaml").Resources.Cast<StickyUpstream>()];

    public StickyUpstreamSpec Spec => Assert.Single(Resources).Spec;

    /// <summary>Compiles the YAML; capabilities that are still to come, and Secrets that are still to be made, are no mistake of the import.</summary>
    public Upstream Compile(string name = "u")
    {
        var manifests = new ManifestSet();
        manifests.Put("imported.yaml", ManifestReader.Read(Yaml, "imported.yaml"));
        var clock = new Clock(TimeProvider.System);
        var builder = new UpstreamBuilder(new(AffinityKeys.CreateRandom()), new SessionZones(new byte[32], TimeProvider.System), clock, new Random(1));
        var compiler = new SnapshotCompiler(new() { Standalone = true }, new UpstreamStates(), builder, new(), TimeProvider.System);
        var names = ImmutableArray.Create(IPAddress.Loopback);
        var book = new AddressBook(AddressBook.Empty.Hosts.SetItem("localhost4", new(names, null)).SetItem("host-without-port", new(names, null)));

        var result = compiler.Compile(manifests.Build(), book, null);

        Assert.DoesNotContain(result.Diagnostics, found =>
            found.Severity == Severity.Error && found.Reason is not Reasons.SecretNotFound);
        return result.Snapshot.Find(new("default", name)) ?? throw new KeyNotFoundException($"{name} in {Yaml}\n{Said}");
    }
}

/// <summary>A request as the conformance of imported groups needs it.</summary>
internal sealed class ImportedRequest(IPAddress? client = null) : RequestValues
{
    public override IPAddress? ClientAddress { get; } = client ?? IPAddress.Loopback;

    public override bool IsHttps => false;

    public string Key { get; init; } = "";

    public string Cookie { get; init; } = "";

    public Dictionary<string, string> Args { get; init; } = [];

    public string? ResponseCookie { get; set; }

    public override bool TryGetCookie(string name, out ReadOnlySpan<char> value) => CookieHeader.TryFind(Cookie, name, out value);

    protected override string? Read(Variable variable) => variable.Kind switch
    {
        VariableKind.HttpNamed => Key,
        VariableKind.Host => "127.0.0.1",
        VariableKind.ArgNamed => Args.GetValueOrDefault(variable.Name),
        VariableKind.CookieNamed => TryGetCookie(variable.Name, out var value) ? value.ToString() : null,
        VariableKind.UpstreamCookieNamed => ResponseCookie,
        _ => throw new NotSupportedException($"{variable.Kind}"),
    };
}
