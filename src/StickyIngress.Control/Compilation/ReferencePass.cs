using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Compilation;

/// <summary>The servers' addresses, and which Services and host names the upstream depends on.</summary>
internal static class ReferencePass
{
    public const string HostKind = "Host";

    public static void Run(PlanDraft draft)
    {
        for (var i = 0; i < draft.Spec.Servers.Count; i++)
        {
            var (spec, field) = (draft.Spec.Servers[i], $"spec.servers[{i}]");
            if (spec.Service is { } service)
            {
                draft.Use(new(Service.KindName, draft.Source.Metadata.Namespace, service.Name));
                draft.Servers.Add(new(spec, field, null));
                continue;
            }

            var text = spec.Address ?? "";
            if (!ServerAddress.TryParse(text, out var address, out var error))
                draft.Found.Refuse(Reasons.InvalidAddress, $"{field}.address", $"{error} in \"{text}\"; {ServerAddress.Allowed}");
            else if (address.Host is { } host && !spec.Resolve)
                draft.Use(HostRef(host));

            draft.Servers.Add(new(spec, field, address));
        }
    }

    /// <summary>A host name among the things that an upstream depends on.</summary>
    public static ResourceRef HostRef(string host) => new(HostKind, "", host);
}
