using Prometheus;

namespace StickyIngress.Proxy;

/// <summary>The series of docs/metrics.md that requests write; each <c>stickyingress_</c> and labelled by upstream first.</summary>
internal sealed class ProxySeries(IMetricFactory factory)
{
    private static readonly string[] Upstream = ["namespace", "upstream"];
    private static readonly double[] Seconds = [.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60];

    public Gauge InFlight { get; } = factory.CreateGauge(
        "stickyingress_http_requests_in_flight", "Requests from clients that are not answered yet.");

    public Counter Requests { get; } = Counter(factory, "http_requests_total", "Requests from clients.", "method", "code");

    public Histogram Duration { get; } = Histogram(factory, "http_request_duration_seconds", "Time from a request to the end of its answer.");

    public Counter PeerRequests { get; } = Counter(factory, "peer_requests_total", "Tries by the status that they came to.", "peer", "code");

    public Counter PeerFailures { get; } = Counter(factory, "peer_failures_total", "Tries that count against the peer.", "peer", "reason");

    public Histogram PeerDuration { get; } = Histogram(factory, "peer_response_duration_seconds", "Time of a whole try.", "peer");

    public Counter Retries { get; } = Counter(factory, "upstream_retries_total", "Tries that followed another one.", "reason");

    public Counter QueueRejected { get; } = Counter(
        factory, "upstream_queue_rejected_total", "Requests that found no peer and no place in the queue, or left it without one.", "reason");

    public Counter Affinity { get; } = Counter(
        factory, "affinity_requests_total", "Requests to upstreams with affinity, by what became of it.", "mode", "outcome");

    public Counter Breaks { get; } = Counter(
        factory, "affinity_breaks_total", "Requests whose binding was not kept, by why; they sum up to outcomes rebound and rejected.", "reason");

    private static Counter Counter(IMetricFactory factory, string name, string help, params string[] labels) =>
        factory.CreateCounter($"stickyingress_{name}", help, [.. Upstream, .. labels]);

    private static Histogram Histogram(IMetricFactory factory, string name, string help, params string[] labels) =>
        factory.CreateHistogram($"stickyingress_{name}", help, [.. Upstream, .. labels], new HistogramConfiguration { Buckets = Seconds });
}
