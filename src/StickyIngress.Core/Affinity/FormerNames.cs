using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Affinity;

/// <summary>
/// Whether a name that no peer has was a former peer's. Asked only for names that are not found, and computed only when
/// peers have gone since the last time, so neither a compile nor a client that makes up names pays for it again and
/// again.
/// </summary>
internal sealed class FormerNames(UpstreamState state, Func<FormerPeer, IEnumerable<string>> namesOf)
{
    private Known _known = new(0, []);

    public bool Contains(ReadOnlySpan<char> name)
    {
        var known = Volatile.Read(ref _known);
        var version = state.FormerVersion;
        if (known.Version != version)
        {
            known = new(version, [.. state.FormerPeers.SelectMany(namesOf)]);
            Volatile.Write(ref _known, known);
        }

        return known.Names.GetAlternateLookup<ReadOnlySpan<char>>().Contains(name);
    }

    private sealed record Known(int Version, HashSet<string> Names);
}
