using System.Collections.Immutable;
using StickyIngress.Control.Resolving;

namespace StickyIngress.Control.Compilation;

/// <summary>The names that the servers of all upstreams have. Few changes touch them, so only those walk all upstreams.</summary>
/// <param name="Hosts">Resolved once.</param>
/// <param name="Followed">Followed in DNS.</param>
public sealed record NamesInUse(ImmutableHashSet<string> Hosts, ImmutableHashSet<NameQuery> Followed)
{
    public static NamesInUse None { get; } = new(ImmutableHashSet.Create<string>(StringComparer.OrdinalIgnoreCase), []);

    internal static NamesInUse After(CompileRun run)
    {
        // Whoever has a name uses it, so the same uses are the same names.
        if (run.Users.ToImmutable() == run.Previous.Users) return run.Previous.Names;

        var (hosts, followed) = (None.Hosts.ToBuilder(), None.Followed.ToBuilder());
        foreach (var (used, _) in run.Users)
        {
            if (used.Kind == ReferencePass.HostKind) hosts.Add(used.Name);
        }

        foreach (var (_, known) in run.Upstreams)
        {
            foreach (var name in known.FollowedNames) followed.Add(name);
        }

        return new(hosts.ToImmutable(), followed.ToImmutable());
    }
}
