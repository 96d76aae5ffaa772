using System.Collections.Immutable;
using StickyIngress.Control.Sources;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Compilation;

/// <summary>
/// From resources to a snapshot: the same input gives the same output, one bad resource is refused alone, and only what a change
/// touches is done again. The cost of a changed EndpointSlice is that of its one upstream and a copied array.
/// </summary>
public sealed class SnapshotCompiler
{
    private readonly CompilerOptions _options;
    private readonly TimeProvider _time;
    private readonly UpstreamPass _upstreams;

    /// <param name="time">For the end of certificates alone.</param>
    public SnapshotCompiler(CompilerOptions options, UpstreamStates states, UpstreamBuilder builder, PeerOverridesHolder overrides, TimeProvider time)
    {
        (_options, _time, Keys, Overrides) = (options, time, builder.Keys, overrides);

        // In this order: a later pass reads what an earlier one found.
        _upstreams = new(
            [
                draft => SyncPass.Run(draft, options.HasSharedStore),
                VariablePass.Run,
                ReferencePass.Run,
                ResolverPass.Run,
                BalancingPass.Run,
                AffinityPass.Run,
                ZonePass.Run,
                ProxyPass.Run,
                HealthCheckPass.Run,
                TlsPass.Run,
                RoutePass.Run,
            ],
            states, builder);
    }

    /// <summary>The keys of opaque cookies: a change of them makes another compile due.</summary>
    public AffinityKeysHolder Keys { get; }

    /// <summary>What was changed at run time: another change makes another compile due.</summary>
    public PeerOverridesHolder Overrides { get; }

    /// <param name="previous">What this goes on from; null: nothing.</param>
    public CompileResult Compile(ResourceSet resources, AddressBook addresses, CompileResult? previous)
    {
        var run = new CompileRun(resources, addresses, previous ?? CompileResult.Empty, _options, _time.GetUtcNow())
        {
            Keys = Keys.Current,
            Overrides = Overrides.Current,
        };
        ChangePass.Run(run);
        OwnershipPass.Run(run);
        ZonePass.Find(run, _upstreams.IsRefused);
        IngressPass.Run(run);
        _upstreams.Run(run);
        var places = PlacePass.Run(run);
        var (statuses, changed) = StatusPass.Run(run, places.Diagnostics);

        return new()
        {
            Places = places,
            Statuses = statuses,
            ChangedStatuses = changed,
            Changes = Changes(run),
            Resources = resources,
            Addresses = addresses,
            Keys = run.Keys,
            Overrides = run.Overrides,
            Upstreams = run.Upstreams.ToImmutable(),
            Ingresses = run.Ingresses.ToImmutable(),
            Users = run.Users.ToImmutable(),
            Names = NamesInUse.After(run),
            Elsewhere = run.Elsewhere.ToImmutable(),
            ZoneConflicts = run.ZoneConflicts,
            CertificateEnds = CertificateEnds.After(run),
        };
    }

    private static ImmutableArray<UpstreamChange> Changes(CompileRun run)
    {
        var changes = ImmutableArray.CreateBuilder<UpstreamChange>();
        foreach (var touched in run.Touched)
        {
            if (touched.IsSame) continue;

            var zone = touched.Former?.Plan?.Zone;
            var left = zone == touched.Now?.Plan?.Zone ? null : zone;
            changes.Add(new(touched.Former?.Upstream, touched.Now?.Upstream) { LeftZone = left });
        }

        return changes.ToImmutable();
    }
}
