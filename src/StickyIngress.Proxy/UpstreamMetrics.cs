using System.Collections.Concurrent;
using Prometheus;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Proxy;

/// <summary>
/// The children of one upstream's series, made at first use. Requests may outlive their upstream: what they count then goes nowhere, or its
/// series would come back and stay.
/// </summary>
internal sealed class UpstreamMetrics
{
    private readonly Lock _gate = new();
    private readonly ProxySeries _series;
    private readonly UpstreamName _name;
    private readonly ConcurrentDictionary<(string Method, int Code), Counter.Child> _requests = new();
    private readonly ConcurrentDictionary<string, PeerMetrics> _peers = new();
    private readonly ConcurrentDictionary<string, Counter.Child> _retries = new();
    private readonly ConcurrentDictionary<string, Counter.Child> _queueRejected = new();
    private readonly Counter.Child?[] _affinity = new Counter.Child?[Enum.GetValues<AffinityOutcome>().Length];
    private readonly Counter.Child?[] _breaks = new Counter.Child?[Enum.GetValues<BreakReason>().Length];
    private bool _isGone;

    public UpstreamMetrics(ProxySeries series, UpstreamName name)
    {
        (_series, _name) = (series, name);
        Duration = series.Duration.WithLabels(name.Namespace, name.Name);
    }

    public Histogram.Child Duration { get; }

    public Counter.Child Requests(string method, int code)
    {
        var known = MetricWords.Method(method);
        return _requests.TryGetValue((known, code), out var child) ? child : AddRequests(known, code);
    }

    /// <param name="isPresent">Whether the upstream has the peer still.</param>
    public PeerMetrics Peer(Peer peer, Func<Peer, bool> isPresent)
    {
        if (_peers.TryGetValue(peer.Label, out var known)) return known;

        lock (_gate)
        {
            return _isGone || !isPresent(peer)
                ? PeerMetrics.Nowhere
                : _peers.GetOrAdd(peer.Label, label => new(_series, _name, label));
        }
    }

    public Counter.Child Retries(string reason) =>
        Add(() => _retries.GetOrAdd(reason, key => _series.Retries.WithLabels(_name.Namespace, _name.Name, key)));

    public Counter.Child QueueRejected(string reason) =>
        Add(() => _queueRejected.GetOrAdd(reason, key => _series.QueueRejected.WithLabels(_name.Namespace, _name.Name, key)));

    public Counter.Child Affinity(AffinityMode mode, AffinityOutcome outcome) => _affinity[(int)outcome] ?? AddAffinity(mode, outcome);

    public Counter.Child Break(BreakReason reason) => _breaks[(int)reason]
        ?? Add(() => _breaks[(int)reason] ??= _series.Breaks.WithLabels(_name.Namespace, _name.Name, AffinityWords.Of(reason)));

    public void RemovePeer(string label)
    {
        lock (_gate)
        {
            if (_peers.TryRemove(label, out var gone)) gone.Remove();
        }
    }

    public void Remove()
    {
        lock (_gate)
        {
            _isGone = true;
            Duration.Remove();
            foreach (var label in _peers.Keys) RemovePeer(label);
            IEnumerable<Counter.Child?> children = [.. _requests.Values, .. _retries.Values, .. _queueRejected.Values, .. _affinity, .. _breaks];
            foreach (var child in children) child?.Remove();
        }
    }

    // Apart from where they are used, so that what they capture costs nothing once they are known.
    private Counter.Child AddRequests(string method, int code) => Add(() => _requests.GetOrAdd(
        (method, code), key => _series.Requests.WithLabels(_name.Namespace, _name.Name, key.Method, MetricWords.Code(key.Code))));

    private Counter.Child AddAffinity(AffinityMode mode, AffinityOutcome outcome) => Add(() => _affinity[(int)outcome]
        ??= _series.Affinity.WithLabels(_name.Namespace, _name.Name, AffinityWords.Of(mode), AffinityWords.Of(outcome)));

    private Counter.Child Add(Func<Counter.Child> create)
    {
        lock (_gate) return _isGone ? ProxySeries.Nowhere : create();
    }
}

/// <summary>The same of one peer.</summary>
internal sealed class PeerMetrics(ProxySeries series, UpstreamName name, string label)
{
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<int, Counter.Child> _requests = new();
    private readonly ConcurrentDictionary<string, Counter.Child> _failures = new();
    private bool _isGone;

    /// <summary>Of a peer that has gone while a request was with it.</summary>
    public static PeerMetrics Nowhere { get; } = new(new(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), new("", ""), "");

    public Histogram.Child Duration { get; } = series.PeerDuration.WithLabels(name.Namespace, name.Name, label);

    public Counter.Child Requests(int code) => _requests.TryGetValue(code, out var child) ? child : AddRequests(code);

    public Counter.Child Failures(string reason) =>
        Add(() => _failures.GetOrAdd(reason, key => series.PeerFailures.WithLabels(name.Namespace, name.Name, label, key)));

    public void Remove()
    {
        lock (_gate)
        {
            _isGone = true;
            Duration.Remove();
            foreach (var child in _requests.Values.Concat(_failures.Values)) child.Remove();
        }
    }

    private Counter.Child AddRequests(int code) => Add(() => _requests.GetOrAdd(
        code, key => series.PeerRequests.WithLabels(name.Namespace, name.Name, label, MetricWords.Code(key))));

    private Counter.Child Add(Func<Counter.Child> create)
    {
        lock (_gate) return _isGone ? ProxySeries.Nowhere : create();
    }
}
