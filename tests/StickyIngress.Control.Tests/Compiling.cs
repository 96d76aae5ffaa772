using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Control.Compilation;
using StickyIngress.Control.Resolving;
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
        Compiler = new(options ?? new() { Standalone = true }, States, new(Keys, new SessionZones(new byte[32], Time), new Clock(Time), new Random(1)), Overrides, Time);
    }

    public FakeTimeProvider Time { get; }

    public AffinityKeysHolder Keys { get; } = new(AffinityKeys.CreateRandom());

    public PeerOverridesHolder Overrides { get; } = new();

    public UpstreamStates States { get; }

    public SnapshotCompiler Compiler { get; }

    public CompileResult? Last { get; private set; }

    public AddressBook Names { get; set; } = new(AddressBook.Empty.Hosts
        .Add("one.test", new([IPAddress.Parse("10.9.0.1")], null))
        .Add("two.test", new([IPAddress.Parse("10.9.0.3"), IPAddress.Parse("2001:db8::2"), IPAddress.Parse("10.9.0.2")], null))
        .Add("gone.test", new([IPAddress.Parse("10.9.0.9")], "no such host"))
        .Add("never.test", new([], "no such host")));

    /// <summary>What DNS says of followed names, whichever resolver is asked; of any other nothing yet.</summary>
    public Dictionary<(string Host, string? Service), NameAnswer> Answers { get; } = new()
    {
        [("one.test", null)] = new([Address("10.9.0.1")], null),
        [("two.test", null)] = new([Address("10.9.0.3"), Address("2001:db8::2"), Address("10.9.0.2")], null),
        [("gone.test", null)] = new([Address("10.9.0.9")], "the resolver failed"),
        [("never.test", null)] = new([], "there is no such name"),
        [("srv.test", "http")] = new(
            [
                Address("10.9.1.1", new("a.srv.test", 8001, 10, 5)),
                Address("10.9.1.2", new("a.srv.test", 8001, 10, 5)),
                Address("10.9.1.3", new("b.srv.test", 8002, 20, 7)),
                Address("10.9.1.4", new("c.srv.test", 8003, 10, 0)),
                Address("10.9.1.1", new("d.srv.test", 8001, 30, 9)),
            ], null),
    };

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

    /// <summary>As the reconciler does it: what the servers follow is asked for, and where that says something new they are compiled again.</summary>
    public CompileResult Compile(ResourceSet resources)
    {
        var result = Compiler.Compile(resources, Names, Last);
        var unknown = result.Names.Followed.Where(name => Answers.TryGetValue((name.Host, name.Service), out var answer) && Names.Find(name) != answer).ToArray();
        if (unknown.Length == 0) return Last = result;

        Names = Names with { Answers = Names.Answers.SetItems(unknown.Select(name => KeyValuePair.Create(name, Answers[(name.Host, name.Service)]))) };
        return Last = Compiler.Compile(resources, Names, Last);
    }

    public static ResolvedAddress Address(string address, ServiceRecord? service = null) => new(IPAddress.Parse(address), service);

    /// <summary>The same resources compiled from nothing, by another compiler.</summary>
    public CompileResult Afresh() => new Compiling().Compiler.Compile(Resources with { Changed = null }, Names, null);

    public Upstream Upstream(string name = "u") => Last!.Snapshot.Find(new("default", name)) ?? throw new KeyNotFoundException(name);

    public static ImmutableArray<string> Reasons(CompileResult result) => [.. result.Diagnostics.Select(found => found.Reason)];
}
