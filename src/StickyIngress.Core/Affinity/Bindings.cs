using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Affinity;

/// <summary>
/// Which peers of a compiled upstream a name stands for: the first primary and the first backup that has it.
/// </summary>
internal sealed class Bindings
{
    // Not frozen: that takes longer than all lookups until the next change of a peer save.
    private readonly Dictionary<string, Binding> _byName;

    private Bindings(Dictionary<string, Binding> byName) => _byName = byName;

    public IEnumerable<KeyValuePair<string, Binding>> All => _byName;

    public static Bindings ById(PeerGroup primaries, PeerGroup backups) => new(Collect(primaries, backups, peer => peer.Id.Value));

    public static Bindings BySid(PeerGroup primaries, PeerGroup backups) => new(Collect(primaries, backups, peer => peer.Sid));

    /// <summary>The same where they are only gone through.</summary>
    public static Dictionary<string, Binding> Collect(PeerGroup primaries, PeerGroup backups, Func<Peer, string> nameOf)
    {
        var byName = new Dictionary<string, Binding>(primaries.Peers.Length + backups.Peers.Length);
        foreach (var peer in primaries.Peers) byName.TryAdd(nameOf(peer), new(peer, null));
        foreach (var peer in backups.Peers)
        {
            var name = nameOf(peer);
            if (!byName.TryGetValue(name, out var binding)) byName.Add(name, new(null, peer));
            else if (binding.Backup is null) byName[name] = binding with { Backup = peer };
        }

        return byName;
    }

    public Binding? Find(ReadOnlySpan<char> name) =>
        _byName.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var binding) ? binding : null;
}
