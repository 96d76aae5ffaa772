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
        if (For(request) is not { } upstream) return;

        upstream.Requests(request.Context.Request.Method, request.Context.Response.StatusCode).Inc();
        upstream.Duration.Observe(request.ElapsedMilliseconds / 1000d);
        if (request is { Upstream.Affinity: { } affinity, Selection: { } selection })
        {
            upstream.Affinity(affinity.Mode, selection.Outcome).Inc();
            if (selection.Outcome is AffinityOutcome.Rebound or AffinityOutcome.Rejected)
                upstream.Break(selection.Reason).Inc();
        }

        Recheck(request, upstream);
    }

    internal void Tried(ProxyRequest request, PeerTry @try, TryEnd end)
    {
        if (For(request) is not { } upstream || upstream.Peer(@try.Peer!) is not { } peer) return;

        peer.Requests(@try.Status).Inc();
        peer.Duration.Observe(@try.ResponseTime / 1000d);
        if (end.IsFailure()) peer.Failures(end.Word()).Inc();
        else if (end == TryEnd.Status && NextPeer.CountsAsFailure(@try.Status)) peer.Failures($"http_{@try.Status}").Inc();

        upstream.Recheck(@try.Peer!, peer);
    }

    internal void Retried(ProxyRequest request, PeerTry @try, TryEnd end)
    {
        if (For(request) is not { } upstream) return;

        upstream.Retries(end == TryEnd.Status ? $"http_{@try.Status}" : end.Word()).Inc();
        Recheck(request, upstream);
    }

    internal void QueueRejected(ProxyRequest request, QueueRejection rejection)
    {
        if (For(request) is not { } upstream) return;

        upstream.QueueRejected(MetricWords.Of(rejection)).Inc();
        Recheck(request, upstream);
    }

    /// <summary>Takes the series of what is gone out of the page.</summary>
    public void Remove(UpstreamName upstream)
    {
        if (_upstreams.TryRemove(upstream, out var gone)) gone.Remove();
    }

    public void Remove(UpstreamName upstream, string peerLabel)
    {
        if (_upstreams.TryGetValue(upstream, out var known)) known.RemovePeer(peerLabel);
    }

    /// <summary>Null: the upstream is gone, and its series with it. What still runs must not bring them back.</summary>
    private UpstreamMetrics? For(ProxyRequest request)
    {
        var name = request.Upstream?.Name ?? NoUpstream;
        if (_upstreams.TryGetValue(name, out var known)) return known;

        return request.Upstream?.State.IsGone == true ? null : _upstreams.GetOrAdd(name, key => new(_series, key));
    }

    /// <summary>It may have gone while something was counted.</summary>
    private void Recheck(ProxyRequest request, UpstreamMetrics counted)
    {
        if (request.Upstream is not { State.IsGone: true, Name: var name }) return;
        if (!_upstreams.TryGetValue(name, out var known) || known != counted) counted.Remove();
    }
}
