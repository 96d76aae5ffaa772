using System.Collections.Frozen;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Affinity;

/// <summary>
/// Which peers of a compiled upstream a name stands for: the first primary and the first backup that has it.
/// </summary>
internal sealed class Bindings
{
    private readonly FrozenDictionary<string, Binding> _byName;

    private Bindings(PeerGroup primaries, PeerGroup backups, Func<Peer, string> nameOf)
    {
        var byName = new Dictionary<string, Binding>();
        foreach (var peer in primaries.Peers) byName.TryAdd(nameOf(peer), new(peer, null));
        foreach (var peer in backups.Peers)
        {
            var name = nameOf(peer);
            if (!byName.TryGetValue(name, out var binding)) byName.Add(name, new(null, peer));
            else if (binding.Backup is null) byName[name] = binding with { Backup = peer };
        }

        _byName = byName.ToFrozenDictionary();
    }

    public IEnumerable<KeyValuePair<string, Binding>> All => _byName;

    public static Bindings ById(PeerGroup primaries, PeerGroup backups) => new(primaries, backups, peer => peer.Id.Value);

    public static Bindings BySid(PeerGroup primaries, PeerGroup backups) => new(primaries, backups, peer => peer.Sid);

    public Binding? Find(ReadOnlySpan<char> name) =>
        _byName.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var binding) ? binding : null;
}
