using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core.Balancing;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Compilation;

/// <summary>The key of the hash method, and the size of its ring.</summary>
internal static class BalancingPass
{
    /// <summary>Whether the peers that the servers came to are too much for a ring. It is built all the same, of a part of each weight.</summary>
    public static void CheckPeers(UpstreamPlan plan, PeerGroup primaries, DiagnosticBag found)
    {
        if (plan.Source.Spec.Balancing is not { Method: BalancingMethod.Hash, Hash.Consistent: true }) return;
        if (primaries.TotalWeight <= ConsistentHashBalancer.MostWeight) return;

        found.Warn(Reasons.RingTooLarge, "spec.balancing.hash.consistent",
            $"the weights of all peers make {primaries.TotalWeight}; a ring holds {ConsistentHashBalancer.MostWeight}, so all are divided by the same number and count at least 1");
    }

    public static void Run(PlanDraft draft)
    {
        var balancing = draft.Spec.Balancing;
        if (balancing.Method != BalancingMethod.Hash) return;

        draft.HashKey = draft.Text("spec.balancing.hash.key", balancing.Hash?.Key ?? "", Moment.Request);
        if (balancing.Hash is { Key: "" })
            draft.Found.Warn(Reasons.NoEffect, "spec.balancing.hash.key", "key is \"\", so every request goes to the same peer; name what tells requests apart, such as $request_uri");
        if (balancing.Hash?.Consistent == true) CheckRing(draft);
    }

    /// <summary>A Service counts once here: how many endpoints it has changes, and must not refuse a spec. See <see cref="CheckPeers"/>.</summary>
    private static void CheckRing(PlanDraft draft)
    {
        var total = 0L;
        for (var i = 0; i < draft.Spec.Servers.Count; i++)
        {
            var weight = draft.Spec.Servers[i].Weight;
            total += weight;
            if (total <= ConsistentHashBalancer.MostWeight) continue;

            draft.Found.Refuse(Reasons.RingTooLarge, $"spec.servers[{i}].weight",
                $"weight is {weight}, which makes {total} with the servers before; with a consistent hash all weights together may be at most {ConsistentHashBalancer.MostWeight}");
            return;
        }
    }
}
