using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Compilation;

/// <summary>The key of the hash method, and the size of its ring.</summary>
internal static class BalancingPass
{
    /// <summary>20 million points of 8 bytes, at 160 for each unit.</summary>
    private const long MaxRingWeight = 125_000;

    public static void Run(PlanDraft draft)
    {
        var balancing = draft.Spec.Balancing;
        if (balancing.Method != BalancingMethod.Hash) return;

        draft.HashKey = draft.Text("spec.balancing.hash.key", balancing.Hash?.Key ?? "", Moment.Request);
        if (balancing.Hash?.Consistent == true) CheckRing(draft);
    }

    /// <summary>An endpoint's share cannot be known here: how many a Service has changes, and must not refuse a spec.</summary>
    private static void CheckRing(PlanDraft draft)
    {
        var total = 0L;
        for (var i = 0; i < draft.Spec.Servers.Count; i++)
        {
            var weight = draft.Spec.Servers[i].Weight;
            total += weight;
            if (total <= MaxRingWeight) continue;

            draft.Found.Refuse(Reasons.RingTooLarge, $"spec.servers[{i}].weight",
                $"weight is {weight}, which makes {total} with the servers before; with a consistent hash all weights together may be at most {MaxRingWeight}");
            return;
        }
    }
}
