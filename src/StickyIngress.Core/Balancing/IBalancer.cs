using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>Chooses a peer. What it remembers between picks is in the peers' states, so its successor goes on where it stood.</summary>
public interface IBalancer
{
    /// <summary>Reads what the method needs of the request, before the gate is taken.</summary>
    void Prepare(Selection selection)
    {
    }

    /// <summary>
    /// The bound peer where it may be used, else the one that the method chooses, else null: none is available. The chosen
    /// peer is not counted yet, that is the selector's part. May move the selection on to the backups. The time is Unix time.
    /// Called with the upstream's <see cref="UpstreamState.Gate"/> held; allocates nothing.
    /// </summary>
    Peer? Pick(Selection selection, long nowMilliseconds);
}
