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

        var hosts = run.Users.Keys.Where(used => used.Kind == ReferencePass.HostKind).Select(host => host.Name);
        var followed = run.Upstreams.Values.SelectMany(known => known.FollowedNames);
        return new(hosts.ToImmutableHashSet(None.Hosts.KeyComparer), [.. followed]);
    }
}
