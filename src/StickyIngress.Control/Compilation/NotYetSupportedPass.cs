using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Compilation;

/// <summary>Refuses what the resource can say and nothing serves yet; a capability that arrives takes its line away.</summary>
internal static class NotYetSupportedPass
{
    public static void Run(PlanDraft draft)
    {
        var spec = draft.Spec;
        Refuse(draft, spec.Sticky?.Learn?.Sync == true, "spec.sticky.learn.sync");
    }

    private static void Refuse(PlanDraft draft, bool used, string field)
    {
        if (used) draft.Found.Refuse(Reasons.NotYetSupported, field, "is understood but does nothing in this version; take it out");
    }
}
