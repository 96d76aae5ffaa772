using Prometheus;
using StickyIngress.Control;
using StickyIngress.Control.Compilation;
using StickyIngress.Proxy;
using StickyIngress.Proxy.Forwarding.Http1;

namespace StickyIngress.Admin;

/// <summary>Counts compiles; takes the series of what is gone out of the page, and closes the connections to it that are idle.</summary>
internal sealed class ReconcileMetrics(IMetricFactory factory, ProxyMetrics proxy, ConnectionPools connections) : IReconcileObserver
{
    private readonly Histogram _compile = factory.CreateHistogram(
        "stickyingress_config_compile_seconds", "Time to compile the resources after a change.",
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.0005, 2, 14) });

    public void Compiled(TimeSpan duration, CompileResult compilation) => _compile.Observe(duration.TotalSeconds);

    public void Published(CompileResult compilation)
    {
        foreach (var (former, current) in compilation.Changes)
        {
            if (former is null) continue;

            connections.Forget(former, current);
            if (current is null)
            {
                proxy.Remove(former.Name);
                continue;
            }

            // Only where a peer went can a label be gone: most changes are of peers that stay.
            if (!former.Peers.Any(static peer => peer.State.IsGone)) continue;

            var labels = current.Peers.Select(peer => peer.Label).ToHashSet();
            foreach (var gone in former.Peers.Where(peer => !labels.Contains(peer.Label))) proxy.Remove(former.Name, gone.Label);
        }
    }
}
