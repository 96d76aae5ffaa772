using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Compilation;

/// <summary>
/// Compiles one upstream: the plan where the spec or a Secret changed, and the peers always. A spec that is refused leaves in service what
/// was there before, with the endpoints of now.
/// </summary>
internal sealed class UpstreamPass(ImmutableArray<Action<PlanDraft>> passes, UpstreamStates states, UpstreamBuilder builder)
{
    private const int WorthThreads = 64;

    public void Run(CompileRun run)
    {
        var touched = Touched(run);

        // Upstreams do not know each other, so a first compile may use every core; for a few it is not worth the threads.
        if (touched.Length < WorthThreads)
        {
            foreach (var upstream in touched) upstream.Now = Compile(run, upstream.Named, upstream.Former);
        }
        else
        {
            Parallel.For(0, touched.Length, i => touched[i].Now = Compile(run, touched[i].Named, touched[i].Former));
        }

        foreach (var upstream in touched)
        {
            if (upstream.Now is null) run.Upstreams.Remove(upstream.Named);
            else run.Upstreams[upstream.Named] = upstream.Now;

            run.SetUses(upstream.Named, upstream.Former?.Uses ?? [], upstream.Now?.Uses ?? []);
        }

        run.Touched = touched;
    }

    private static TouchedUpstream[] Touched(CompileRun run)
    {
        var touched = new List<TouchedUpstream>(run.Dirty.Count);
        foreach (var named in run.Dirty)
        {
            if (named.Kind == StickyUpstream.KindName) touched.Add(new(named, run.Previous.Upstreams.GetValueOrDefault(named)));
        }

        touched.Sort(static (one, other) => ResourceOrder.Instance.Compare(one.Named, other.Named));
        return [.. touched];
    }

    /// <summary>Whether the spec makes no sense by itself, whoever else wants its session zone.</summary>
    public bool IsRefused(CompileRun run, StickyUpstream source) => Draft(run, source, zoneOwner: null).Refused;

    /// <summary>Null: there is no such upstream, or it is not for us.</summary>
    private CompiledUpstream? Compile(CompileRun run, ResourceRef named, CompiledUpstream? former)
    {
        var written = run.Elsewhere.Contains(named) ? null : run.Written(named);
        if (written is null && (former?.Plan is null || !run.Unreadable.Contains(named) || run.Elsewhere.Contains(named))) return null;

        var (plan, refusals) = Plan(run, written, former);
        return plan is null
            ? new() { Written = written, Plan = null, Upstream = null, Refusals = refusals, PeerDiagnostics = [], Uses = [] }
            : Resolve(run, written, plan, refusals, former?.Upstream);
    }

    private (UpstreamPlan? Plan, ImmutableArray<Diagnostic> Refusals) Plan(CompileRun run, StickyUpstream? written, CompiledUpstream? former)
    {
        if (written is null) return (Replan(run, former!.Plan!), former.Refusals);

        var sameZone = run.ZoneConflicts.GetValueOrDefault(written.Ref) == run.Previous.ZoneConflicts.GetValueOrDefault(written.Ref);
        if (former is not null && ReferenceEquals(former.Written, written) && sameZone)
            return (former.Plan is { } known ? Replan(run, known) : null, former.Refusals);

        var plan = Draft(run, written);
        if (!plan.Refused) return (plan, []);

        return former?.Plan is { } lastGood
            ? (Replan(run, lastGood), plan.Diagnostics.Add(Kept(written, lastGood)))
            : (null, plan.Diagnostics);
    }

    /// <summary>A good plan again, where a Secret that it was made from changed.</summary>
    private UpstreamPlan Replan(CompileRun run, UpstreamPlan plan) =>
        plan.Uses.Any(used => used.Kind == Api.Kubernetes.Secret.KindName && run.Changed.Contains(used)) ? Draft(run, plan.Source) : plan;

    private UpstreamPlan Draft(CompileRun run, StickyUpstream source)
    {
        ResourceRef? zoneOwner = run.Resources.Upstreams.GetValueOrDefault(source.Ref) == source
            && run.ZoneConflicts.TryGetValue(source.Ref, out var owner) ? owner : null;
        return Draft(run, source, zoneOwner);
    }

    private UpstreamPlan Draft(CompileRun run, StickyUpstream source, ResourceRef? zoneOwner)
    {
        var draft = new PlanDraft(source, run.Secrets, zoneOwner);
        foreach (var pass in passes) pass(draft);
        return draft.ToPlan();
    }

    private CompiledUpstream Resolve(CompileRun run, StickyUpstream? written, UpstreamPlan plan, ImmutableArray<Diagnostic> refusals, Upstream? former)
    {
        var found = new DiagnosticBag(plan.Source.Ref, plan.Source.File);
        var servers = new ServerPass(run.Resources, run.Addresses, plan, run.Options.NameServers, found);
        var candidates = servers.Run();
        var state = states.Get(new(plan.Source.Metadata.Namespace, plan.Source.Metadata.Name));
        var (primaries, backups) = PeerPass.Run(plan, candidates, state, run.Overrides.Of(state.Name));
        BalancingPass.CheckPeers(plan, primaries, found);
        return new()
        {
            Written = written,
            Plan = plan,
            Upstream = builder.Build(plan, run.Keys, state, primaries, backups, former),
            Refusals = refusals,
            PeerDiagnostics = found.ToImmutable(),
            Uses = Uses(plan, servers),
            FollowedNames = servers.FollowedNames,
        };
    }

    private static ImmutableArray<ResourceRef> Uses(UpstreamPlan plan, ServerPass servers)
    {
        if (servers.Hosts.Count == 0 && servers.FollowedNames.IsEmpty) return plan.Uses;

        return [.. plan.Uses.Union(servers.Hosts.Select(ReferencePass.HostRef)).Union(servers.FollowedNames.Select(name => name.Ref))];
    }

    private static Diagnostic Kept(StickyUpstream written, UpstreamPlan lastGood) => new(
        Severity.Warning, Reasons.KeptLastGood, written.Ref, "",
        lastGood.Source.Metadata.Generation > 0
            ? $"generation {lastGood.Source.Metadata.Generation} keeps serving until this one is mended"
            : "what it was before keeps serving until this is mended",
        written.File);
}
