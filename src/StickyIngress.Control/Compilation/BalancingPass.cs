using StickyIngress.Api;

namespace StickyIngress.Control.Compilation;

/// <summary>The key of the hash method.</summary>
internal static class BalancingPass
{
    public static void Run(PlanDraft draft)
    {
        var balancing = draft.Spec.Balancing;
        if (balancing.Method == BalancingMethod.Hash)
            draft.HashKey = draft.Text("spec.balancing.hash.key", balancing.Hash?.Key ?? "", Moment.Request);
    }
}
