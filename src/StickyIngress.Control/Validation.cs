using System.Collections.Immutable;
using StickyIngress.Control.Compilation;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Sources;
using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control;

/// <summary>What run would make of files, without serving anything.</summary>
/// <param name="Upstreams">How many upstreams would serve.</param>
public sealed record Validation(int Upstreams, ImmutableArray<Diagnostic> Diagnostics)
{
    /// <summary>Host names are looked up as run does; a name that cannot be found is a diagnostic.</summary>
    /// <param name="paths">Files, or directories whose manifests are read.</param>
    public static async Task<Validation> RunAsync(
        IEnumerable<string> paths, string ingressClass, IHostResolver resolver, TimeProvider time, CancellationToken cancellationToken)
    {
        var manifests = new ManifestSet();
        foreach (var file in paths.SelectMany(FileSource.ManifestsOf).Distinct(StringComparer.Ordinal))
            manifests.Put(file, ManifestReader.Read(await File.ReadAllBytesAsync(file, cancellationToken), file));

        using var zones = new SessionZones(new byte[16], time);
        var builder = new UpstreamBuilder(new(AffinityKeys.CreateRandom()), zones, new Clock(time), new Random());
        var compiler = new SnapshotCompiler(new() { IngressClass = ingressClass, Standalone = true, HasSharedStore = true }, new UpstreamStates(), builder, new(), time);
        using var names = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var hosts = new HostNames(resolver, time, static () => { }, names.Token);

        var result = compiler.Compile(manifests.Build(), hosts.Book, null);
        await hosts.UseAsync(result.Names.Hosts, TimeSpan.FromSeconds(10));
        result = compiler.Compile(result.Resources, hosts.Book, result);
        await names.CancelAsync();
        return new(result.Snapshot.Upstreams.Count(upstream => upstream is not null), result.Diagnostics);
    }
}
