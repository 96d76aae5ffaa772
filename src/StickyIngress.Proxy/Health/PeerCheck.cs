using Prometheus;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Proxy.Health;

/// <summary>A peer that is checked from time to time. Changed by the <see cref="HealthChecker"/> with its lock held.</summary>
internal sealed class PeerCheck(UpstreamName upstream, Peer peer, HealthCheckSettings settings, Counter.Child passed, Counter.Child failed)
{
    /// <summary>Not scheduled: it runs, or the peer is gone.</summary>
    public const long Never = long.MaxValue;

    public UpstreamName Upstream { get; } = upstream;

    public Counter.Child Passed { get; } = passed;

    public Counter.Child Failed { get; } = failed;

    /// <summary>As of the newest snapshot.</summary>
    public Peer Peer { get; set; } = peer;

    /// <summary>As of the newest snapshot.</summary>
    public HealthCheckSettings Settings { get; set; } = settings;

    /// <summary>Unix milliseconds of the next check.</summary>
    public long Due { get; set; } = Never;

    /// <summary>The peer is checked no more.</summary>
    public bool Gone { get; set; }
}
