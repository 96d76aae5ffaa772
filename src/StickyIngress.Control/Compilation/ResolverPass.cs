using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Resolving;

namespace StickyIngress.Control.Compilation;

/// <summary>The name servers of spec.resolver. One that is given by name is looked up like any host, when loaded.</summary>
internal static class ResolverPass
{
    public static void Run(PlanDraft draft)
    {
        if (draft.Spec.Resolver is not { } resolver) return;

        for (var i = 0; i < resolver.Addresses.Count; i++)
        {
            var (text, field) = (resolver.Addresses[i], Field(i));
            if (!ServerAddress.TryParse(text, out var address, out var error, NameServerAddress.DefaultPort))
                draft.Found.Refuse(Reasons.InvalidAddress, field, $"{error} in \"{text}\"; {ServerAddress.Allowed}");
            else if (address.UnixPath is not null)
                draft.Found.Refuse(Reasons.InvalidAddress, field, $"\"{text}\" is no address of a DNS server");
            else if (address.Host is { } host)
                draft.Use(ReferencePass.HostRef(host));

            if (address is not null) draft.NameServers.Add(address);
        }
    }

    public static string Field(int index) => $"spec.resolver.addresses[{index}]";
}
