using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Compilation;

/// <summary>Refuses what the resource can say and nothing serves yet; a capability that arrives takes its line away.</summary>
internal static class NotYetSupportedPass
{
    public static void Run(PlanDraft draft)
    {
        var spec = draft.Spec;
        for (var i = 0; i < spec.Servers.Count; i++)
        {
            Refuse(draft, spec.Servers[i].Resolve, $"spec.servers[{i}].resolve");
            Refuse(draft, spec.Servers[i].Srv is not null, $"spec.servers[{i}].srv");
        }

        Refuse(draft, spec.Resolver is not null, "spec.resolver");
        Refuse(draft, spec.Ntlm, "spec.ntlm");
        Refuse(draft, spec.Keepalive?.Connections is not null, "spec.keepalive.connections");
        Refuse(draft, spec.Keepalive?.Requests is not null, "spec.keepalive.requests");
        Refuse(draft, spec.Sticky?.Learn?.Sync == true, "spec.sticky.learn.sync");
    }

    private static void Refuse(PlanDraft draft, bool used, string field)
    {
        if (used) draft.Found.Refuse(Reasons.NotYetSupported, field, "is understood but does nothing in this version; take it out");
    }
}
