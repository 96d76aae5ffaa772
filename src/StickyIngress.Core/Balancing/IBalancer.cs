using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>Chooses a peer. Called with the upstream's <see cref="UpstreamState.Gate"/> held; allocates nothing.</summary>
public interface IBalancer
{
    /// <summary>
    /// The bound peer where it may be used, else the one that the method chooses, else null: none is available. The chosen
    /// peer is not counted yet, that is the selector's part. May move the selection on to the backups. The time is Unix time.
    /// </summary>
    Peer? Pick(Selection selection, long nowMilliseconds);
}
