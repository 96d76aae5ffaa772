using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Compilation;

/// <summary>Sessions that are to be shared between replicas need a store that the installation has.</summary>
internal static class SyncPass
{
    public static void Run(PlanDraft draft, bool hasStore)
    {
        if (hasStore || draft.Spec.Sticky?.Learn?.Sync != true) return;

        draft.Found.Warn(Reasons.SyncStoreMissing, "spec.sticky.learn.sync",
            "is true, but there is no store to share sessions through (--sync-store), so each replica keeps what it learns to itself");
    }
}
