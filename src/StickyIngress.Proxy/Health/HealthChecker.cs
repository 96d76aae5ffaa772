using Microsoft.Extensions.Logging;
using Prometheus;
using StickyIngress.Core;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Proxy.Health;

/// <summary>Checks the peers of all upstreams that want it, backups and draining peers too, but none that is down.</summary>
/*
 * One timer for all: peers stand in a priority queue by when they are due, the timer is set for the first, and what is due is
 * started, at most AtATime at once. A peer that waits costs an entry in the queue and nothing else. An entry whose time is
 * not the peer's any more is stale and is skipped when it comes up.
 */
public sealed class HealthChecker : IDisposable
{
    /// <summary>Checks under way at most; peers that are due later than that many wait for one to end.</summary>
    internal const int AtATime = 256;

    private readonly Clock _clock;
    private readonly HealthProber _prober;
    private readonly ILogger<HealthChecker> _logger;
    private readonly Counter _checks;
    private readonly System.Threading.ITimer _timer;
    private readonly CancellationTokenSource _stop = new();
    private readonly Random _random = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<UpstreamName, Dictionary<PeerState, PeerCheck>> _upstreams = [];
    private readonly PriorityQueue<PeerCheck, long> _due = new();
    private int _running;

    public HealthChecker(Clock clock, TimeProvider time, HealthProber prober, IMetricFactory metrics, ILogger<HealthChecker> logger)
    {
        (_clock, _prober, _logger) = (clock, prober, logger);
        _checks = metrics.CreateCounter(
            "stickyingress_health_checks_total", "Active checks of a peer, by what they came to.", ["namespace", "upstream", "peer", "outcome"]);
        _timer = time.CreateTimer(_ => StartDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Checks under way.</summary>
    internal int Running => Volatile.Read(ref _running);

    /// <summary>To be called when an upstream has been published; what is known of its peers is kept.</summary>
    /// <param name="current">Null: it is gone.</param>
    public void Follow(UpstreamName name, Upstream? current)
    {
        lock (_gate)
        {
            var known = _upstreams.GetValueOrDefault(name) ?? [];
            var former = known.Keys.ToHashSet();
            if (current?.HealthCheck is { } settings)
            {
                foreach (var peer in current.Peers.Where(peer => !peer.Down))
                {
                    former.Remove(peer.State);
                    Follow(known, name, peer, settings);
                }
            }

            foreach (var gone in former) Forget(known, gone);
            if (known.Count > 0) _upstreams[name] = known;
            else _upstreams.Remove(name);
        }

        StartDue();
    }

    public void Dispose()
    {
        _stop.Cancel();
        _timer.Dispose();
        _stop.Dispose();
    }

    private void Follow(Dictionary<PeerState, PeerCheck> known, UpstreamName name, Peer peer, HealthCheckSettings settings)
    {
        if (!known.TryGetValue(peer.State, out var check))
        {
            check = new(name, peer, settings, Counter(name, peer, "passed"), Counter(name, peer, "failed"));
            known.Add(peer.State, check);
            Schedule(check, _clock.Milliseconds);
            return;
        }

        var edited = !Equals(check.Settings.Source, settings.Source);
        (check.Peer, check.Settings) = (peer, settings);
        if (edited && check.Due != PeerCheck.Never) Schedule(check, _clock.Milliseconds);
    }

    private static void Forget(Dictionary<PeerState, PeerCheck> known, PeerState gone)
    {
        known.Remove(gone, out var check);
        (check!.Gone, check.Due) = (true, PeerCheck.Never);

        // Two servers may name the same pod, and then share its series.
        if (known.Values.Any(other => other.Peer.Label == check.Peer.Label)) return;

        check.Passed.Remove();
        check.Failed.Remove();
    }

    private Counter.Child Counter(UpstreamName name, Peer peer, string outcome) =>
        _checks.WithLabels(name.Namespace, name.Name, peer.Label, outcome);

    private void Schedule(PeerCheck check, long due)
    {
        check.Due = due + _random.NextInt64((long)check.Settings.Jitter.TotalMilliseconds + 1);
        _due.Enqueue(check, check.Due);
    }

    private void StartDue()
    {
        lock (_gate)
        {
            if (_stop.IsCancellationRequested) return;

            var now = _clock.Milliseconds;
            while (_due.TryPeek(out var check, out var due) && (due != check.Due || (due <= now && _running < AtATime)))
            {
                _due.Dequeue();
                if (due != check.Due) continue;

                check.Due = PeerCheck.Never;
                _running++;
                _ = Task.Run(() => CheckAsync(check, check.Peer, check.Settings, now));
            }

            // Where as many run as may, the next one that ends comes here.
            if (_running < AtATime && _due.TryPeek(out _, out var next))
                _timer.Change(Timers.AtMost(TimeSpan.FromMilliseconds(next - now)), Timeout.InfiniteTimeSpan);
        }
    }

    private async Task CheckAsync(PeerCheck check, Peer peer, HealthCheckSettings settings, long startedAt)
    {
        try
        {
            var objection = await _prober.ProbeAsync(peer, settings, _stop.Token);
            Report(check, peer, settings, objection);
        }
        catch (OperationCanceledException)
        {
            // The process ends.
            return;
        }

        lock (_gate)
        {
            _running--;
            var edited = !Equals(check.Settings.Source, settings.Source);
            var due = edited ? 0 : startedAt + (long)check.Settings.Interval.TotalMilliseconds;
            if (!check.Gone) Schedule(check, Math.Max(due, _clock.Milliseconds));
        }

        StartDue();
    }

    private void Report(PeerCheck check, Peer peer, HealthCheckSettings settings, string? objection)
    {
        (objection is null ? check.Passed : check.Failed).Inc();
        if (!PeerHealth.Report(peer, settings, objection is null, _clock.Milliseconds)) return;

        if (objection is null) Log.PeerHealthy(_logger, peer.Label, check.Upstream);
        else Log.PeerUnhealthy(_logger, peer.Label, check.Upstream, objection);
    }
}
