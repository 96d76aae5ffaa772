using System.Runtime.InteropServices;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>A group and, while its peers are in no trouble and it is large enough, the index to choose by.</summary>
internal sealed class IndexedGroup(PeerGroup group, ILoad? load, IndexUse use)
{
    private readonly bool _mayIndex = group.Peers.Length >= use.FromPeers;
    private PeerIndex? _index;
    private int _scans;

    public bool IsEmpty => group.Peers.Length == 0;

    /// <summary>The index, up to date; null: look at all peers. A request that tried peers already has to, it may not get those.</summary>
    public PeerIndex? IndexFor(Selection selection, long nowMilliseconds)
    {
        if (!_mayIndex || !selection.TriedNone) return null;

        if (_index is not { Holds: true })
        {
            // Filling it costs as much as several scans, so trouble that comes and goes must not cause one each time.
            if (++_scans < use.AfterScans) return null;

            _scans = 0;
            _index ??= new PeerIndex(group, load);
            if (!_index.TryHold(nowMilliseconds)) return null;
        }

        if (_index.IsOverrun)
        {
            _index.Release();
            return null;
        }

        _index.Advance(nowMilliseconds);
        return _index;
    }
}

/// <summary>When a group is worth an index.</summary>
/// <param name="FromPeers">Peers it has at least; a smaller one is looked through faster.</param>
/// <param name="AfterScans">How many undisturbed picks make up for filling it.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct IndexUse(int FromPeers, int AfterScans)
{
    public static IndexUse Normal { get; } = new(48, 32);

    public static IndexUse Never { get; } = new(int.MaxValue, int.MaxValue);

    public static IndexUse Always { get; } = new(0, 1);
}
