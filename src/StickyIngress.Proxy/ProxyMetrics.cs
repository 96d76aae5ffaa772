using System.Collections.Concurrent;
using Prometheus;
using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Tries;

namespace StickyIngress.Proxy;

/// <summary>
/// What is counted per request. The children of an upstream's series are looked up once and kept, and go when the upstream goes.
/// </summary>
public sealed class ProxyMetrics(IMetricFactory factory)
{
    private static readonly UpstreamName NoUpstream = new("", "");

    private readonly ConcurrentDictionary<UpstreamName, UpstreamMetrics> _upstreams = new();
    private readonly ProxySeries _series = new(factory);

    public void Begin() => _series.InFlight.Inc();

    public void End(ProxyRequest request)
    {
        _series.InFlight.Dec();
        var upstream = For(request);
        upstream.Requests(request.Context.Request.Method, request.Context.Response.StatusCode).Inc();
        upstream.Duration.Observe(request.ElapsedMilliseconds / 1000d);

        if (request is not { Upstream.Affinity: { } affinity, Selection: { } selection }) return;

        upstream.Affinity(affinity.Mode, selection.Outcome).Inc();
        if (selection.Outcome is AffinityOutcome.Rebound or AffinityOutcome.Rejected)
            upstream.Break(selection.Reason).Inc();
    }

    internal void Tried(ProxyRequest request, PeerTry @try, TryEnd end)
    {
        var peer = For(request).Peer(@try.Peer!);
        peer.Requests(@try.Status).Inc();
        peer.Duration.Observe(@try.ResponseTime / 1000d);
        if (end.IsFailure()) peer.Failures(end.Word()).Inc();
        else if (end == TryEnd.Status && NextPeer.CountsAsFailure(@try.Status)) peer.Failures($"http_{@try.Status}").Inc();
    }

    internal void Retried(ProxyRequest request, PeerTry @try, TryEnd end) =>
        For(request).Retries(end == TryEnd.Status ? $"http_{@try.Status}" : end.Word()).Inc();

    internal void QueueRejected(ProxyRequest request, QueueRejection rejection) =>
        For(request).QueueRejected(MetricWords.Of(rejection)).Inc();

    /// <summary>Takes the series of what is gone out of the page.</summary>
    public void Remove(UpstreamName upstream)
    {
        if (_upstreams.TryRemove(upstream, out var gone)) gone.Remove();
    }

    public void Remove(UpstreamName upstream, string peerLabel)
    {
        if (_upstreams.TryGetValue(upstream, out var known)) known.RemovePeer(peerLabel);
    }

    /// <summary>Once for a request: the upstream may go while it is served, and its series with it.</summary>
    private UpstreamMetrics For(ProxyRequest request) => request.Metrics ??= Find(request.Upstream?.Name ?? NoUpstream);

    private UpstreamMetrics Find(UpstreamName name) =>
        _upstreams.TryGetValue(name, out var known) ? known : _upstreams.GetOrAdd(name, key => new(_series, key));
}
