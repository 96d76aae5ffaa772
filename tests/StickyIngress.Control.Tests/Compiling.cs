using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Control.Compilation;
using StickyIngress.Control.Sources;
using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Tests;

/// <summary>The real compiler over YAML texts, with time standing still and names out of a table.</summary>
internal sealed class Compiling
{
    private readonly ManifestSet _manifests = new();

    public Compiling(CompilerOptions? options = null)
    {
        States = new();
        Time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Compiler = new(options ?? new() { Standalone = true }, States, new(Keys, new SessionZones(new byte[32], Time), new Clock(Time), new Random(1)), Time);
    }

    public FakeTimeProvider Time { get; }

    public AffinityKeysHolder Keys { get; } = new(AffinityKeys.CreateRandom());

    public UpstreamStates States { get; }

    public SnapshotCompiler Compiler { get; }

    public CompileResult? Last { get; private set; }

    public AddressBook Names { get; set; } = new(AddressBook.Empty.Hosts
        .Add("one.test", new([IPAddress.Parse("10.9.0.1")], null))
        .Add("two.test", new([IPAddress.Parse("10.9.0.3"), IPAddress.Parse("2001:db8::2"), IPAddress.Parse("10.9.0.2")], null))
        .Add("gone.test", new([IPAddress.Parse("10.9.0.9")], "no such host"))
        .Add("never.test", new([], "no such host")));

    public ResourceSet Resources => _manifests.Current;

    /// <summary>Puts a file with this text, and compiles what there is now.</summary>
    public CompileResult Put(string yaml, string file = "a.yaml")
    {
        _manifests.Put(file, ManifestReader.Read(yaml, file));
        return Compile(_manifests.Build());
    }

    public CompileResult Remove(string file)
    {
        _manifests.Remove(file);
        return Compile(_manifests.Build());
    }

    public CompileResult Compile(ResourceSet resources) => Last = Compiler.Compile(resources, Names, Last);

    /// <summary>The same resources compiled from nothing, by another compiler.</summary>
    public CompileResult Afresh() => new Compiling().Compiler.Compile(Resources with { Changed = null }, Names, null);

    public Upstream Upstream(string name = "u") => Last!.Snapshot.Find(new("default", name)) ?? throw new KeyNotFoundException(name);

    public static ImmutableArray<string> Reasons(CompileResult result) => [.. result.Diagnostics.Select(found => found.Reason)];
}
