namespace StickyIngress.Core.Upstreams;

/// <summary>What was changed about one peer at run time; null: it is as configured.</summary>
public sealed record PeerOverride(bool? Down = null, bool? Drain = null, int? Weight = null)
{
    public const int MinWeight = 1;
    public const int MaxWeight = 65535;

    /// <summary>Everything is as configured.</summary>
    public static PeerOverride None { get; } = new();
}

/// <summary>One peer of all, through any number of snapshots and restarts.</summary>
public readonly record struct PeerRef(UpstreamName Upstream, PeerKey Peer)
{
    public override string ToString() => $"{Upstream} {Peer.Address}";
}
