using System.Collections.Concurrent;
using Prometheus;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Proxy;

/// <summary>The children of one upstream's series, made at first use.</summary>
internal sealed class UpstreamMetrics
{
    private readonly ProxySeries _series;
    private readonly UpstreamName _name;
    private readonly ConcurrentDictionary<(string Method, int Code), Counter.Child> _requests = new();
    private readonly ConcurrentDictionary<string, PeerMetrics> _peers = new();
    private readonly ConcurrentDictionary<string, Counter.Child> _retries = new();
    private readonly ConcurrentDictionary<string, Counter.Child> _queueRejected = new();
    private readonly Counter.Child?[] _affinity = new Counter.Child?[Enum.GetValues<AffinityOutcome>().Length];
    private readonly Counter.Child?[] _breaks = new Counter.Child?[Enum.GetValues<BreakReason>().Length];

    public UpstreamMetrics(ProxySeries series, UpstreamName name)
    {
        (_series, _name) = (series, name);
        Duration = series.Duration.WithLabels(name.Namespace, name.Name);
    }

    public Histogram.Child Duration { get; }

    public Counter.Child Requests(string method, int code)
    {
        var known = MetricWords.Method(method);
        return _requests.TryGetValue((known, code), out var child)
            ? child
            : _requests.GetOrAdd((known, code), key => _series.Requests.WithLabels(_name.Namespace, _name.Name, key.Method, MetricWords.Code(key.Code)));
    }

    /// <summary>Null: the peer is gone, and its series with it.</summary>
    public PeerMetrics? Peer(Peer peer)
    {
        if (_peers.TryGetValue(peer.Label, out var known)) return known;

        return peer.State.IsGone ? null : _peers.GetOrAdd(peer.Label, label => new(_series, _name, label));
    }

    /// <summary>The peer may have gone while something was counted.</summary>
    public void Recheck(Peer peer, PeerMetrics counted)
    {
        if (!peer.State.IsGone) return;
        if (!_peers.TryGetValue(peer.Label, out var known) || known != counted) counted.Remove();
    }

    public Counter.Child Retries(string reason) =>
        _retries.GetOrAdd(reason, key => _series.Retries.WithLabels(_name.Namespace, _name.Name, key));

    public Counter.Child QueueRejected(string reason) =>
        _queueRejected.GetOrAdd(reason, key => _series.QueueRejected.WithLabels(_name.Namespace, _name.Name, key));

    public Counter.Child Affinity(AffinityMode mode, AffinityOutcome outcome) =>
        _affinity[(int)outcome] ??= _series.Affinity.WithLabels(_name.Namespace, _name.Name, AffinityWords.Of(mode), AffinityWords.Of(outcome));

    public Counter.Child Break(BreakReason reason) =>
        _breaks[(int)reason] ??= _series.Breaks.WithLabels(_name.Namespace, _name.Name, AffinityWords.Of(reason));

    public void RemovePeer(string label)
    {
        if (_peers.TryRemove(label, out var gone)) gone.Remove();
    }

    public void Remove()
    {
        Duration.Remove();
        foreach (var label in _peers.Keys) RemovePeer(label);
        IEnumerable<Counter.Child?> children = [.. _requests.Values, .. _retries.Values, .. _queueRejected.Values, .. _affinity, .. _breaks];
        foreach (var child in children) child?.Remove();
    }
}

/// <summary>The same of one peer.</summary>
internal sealed class PeerMetrics(ProxySeries series, UpstreamName name, string label)
{
    private readonly ConcurrentDictionary<int, Counter.Child> _requests = new();
    private readonly ConcurrentDictionary<string, Counter.Child> _failures = new();

    public Histogram.Child Duration { get; } = series.PeerDuration.WithLabels(name.Namespace, name.Name, label);

    public Counter.Child Requests(int code) => _requests.TryGetValue(code, out var child)
        ? child
        : _requests.GetOrAdd(code, key => series.PeerRequests.WithLabels(name.Namespace, name.Name, label, MetricWords.Code(key)));

    public Counter.Child Failures(string reason) =>
        _failures.GetOrAdd(reason, key => series.PeerFailures.WithLabels(name.Namespace, name.Name, label, key));

    public void Remove()
    {
        Duration.Remove();
        foreach (var child in _requests.Values.Concat(_failures.Values)) child.Remove();
    }
}
