using Prometheus;
using StickyIngress.Control;
using StickyIngress.Control.Compilation;
using StickyIngress.Kubernetes;

namespace StickyIngress.Admin;

/// <summary>What the watches do, and how long a change of endpoints takes from its event to the snapshot that obeys it.</summary>
internal sealed class ClusterMetrics(IMetricFactory factory, TimeProvider time) : IClusterObserver, IReconcileObserver
{
    private readonly Counter _events = factory.CreateCounter(
        "stickyingress_watch_events_total", "Events that watches brought, bookmarks included.", ["kind"]);
    private readonly Counter _restarts = factory.CreateCounter(
        "stickyingress_watch_restarts_total", "Watches that ended and began anew, by why.", ["kind", "reason"]);
    private readonly Histogram _propagation = factory.CreateHistogram(
        "stickyingress_endpoint_propagation_seconds", "Time from the event of an EndpointSlice to the publish of a snapshot with it.", ["kind"],
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.001, 2, 14) });

    private readonly Lock _gate = new();
    private readonly Queue<(long Version, DateTimeOffset Arrived)> _underway = new();

    public void WatchEvent(string kind) => _events.WithLabels(kind).Inc();

    public void WatchRestarted(string kind, WatchRestart reason) => _restarts.WithLabels(kind, Word(reason)).Inc();

    public void EndpointsChanged(long setVersion, DateTimeOffset arrived)
    {
        lock (_gate) _underway.Enqueue((setVersion, arrived));
    }

    public void Compiled(TimeSpan duration, CompileResult compilation)
    {
    }

    /// <summary>One publish may end the wait of several sets: the reconciler takes the newest.</summary>
    public void Published(CompileResult compilation)
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            while (_underway.TryPeek(out var first) && first.Version <= compilation.Resources.Version)
            {
                _underway.Dequeue();
                _propagation.WithLabels("EndpointSlice").Observe((now - first.Arrived).TotalSeconds);
            }
        }
    }

    private static string Word(WatchRestart reason) => reason switch
    {
        WatchRestart.Ended => "ended",
        WatchRestart.Expired => "expired",
        WatchRestart.Silent => "silent",
        WatchRestart.Rewound => "rewound",
        WatchRestart.Unreadable => "unreadable",
        _ => "failed",
    };
}
