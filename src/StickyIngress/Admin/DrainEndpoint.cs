using StickyIngress.Api;
using StickyIngress.Api.Schema;
using StickyIngress.Core;
using StickyIngress.Core.Upstreams;
using StickyIngress.Settings;

namespace StickyIngress.Admin;

/// <summary>
/// <c>GET /drain/{namespace}/{upstream}/{peer}</c>, for preStop hooks: waits until a draining or down peer has no bound sessions and no
/// requests left, or is gone, or the deadline has passed.
/// </summary>
/*
 * Kubernetes runs the hook at about the time when it marks the pod as terminating, and the mark then has to come here, so a peer
 * that is not draining yet is given a while. One that takes new clients after that is not going to be drained: that is a conflict,
 * and the hook must not hold the pod for it.
 */
internal sealed class DrainEndpoint(SnapshotHolder snapshots, ServeSettings settings, IHostApplicationLifetime lifetime, TimeProvider time)
{
    private static readonly TimeSpan MarkPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    /// <summary>The status and what to say; waits until there is something to say.</summary>
    public async Task<(int Status, DrainModel? Drain, string? Error)> WaitAsync(
        UpstreamName name, string label, string? timeoutText, CancellationToken cancellationToken)
    {
        var timeout = settings.DrainTimeout;
        if (timeoutText is not null && !NginxTime.TryParse(timeoutText, TimeUnit.Milliseconds, out timeout))
            return (StatusCodes.Status400BadRequest, null, $"timeout is \"{timeoutText}\"; it must be a time such as 500ms, 30s or 1m");
        if (Find(name, label) is null)
            return (StatusCodes.Status404NotFound, null, $"upstream {name} has no peer {label}");

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        using var timer = new PeriodicTimer(Interval, time);
        var started = time.GetTimestamp();
        try
        {
            while (true)
            {
                var waited = time.GetElapsedTime(started);
                if (Judge(Find(name, label), waited, timeout) is { } done) return done;

                await timer.WaitForNextTickAsync(ending.Token);
            }
        }
        catch (OperationCanceledException)
        {
            return (StatusCodes.Status503ServiceUnavailable, null, "stopping");
        }
    }

    private static (int Status, DrainModel? Drain, string? Error)? Judge((Upstream Upstream, Peer Peer)? found, TimeSpan waited, TimeSpan timeout)
    {
        if (found is not var (upstream, peer)) return (StatusCodes.Status200OK, new("gone", 0, false, 0), null);

        var draining = peer.Draining || peer.Down;
        var estimated = UpstreamViews.AreEstimates(upstream.Affinity);
        var model = new DrainModel("drained", estimated is null ? null : upstream.Affinity!.BoundTo(peer), estimated, peer.State.Conns);
        if (draining && model is { Sessions: null or 0, Active: 0 }) return (StatusCodes.Status200OK, model, null);
        if (!draining && waited >= (timeout < MarkPatience ? timeout : MarkPatience))
            return (StatusCodes.Status409Conflict, null, $"peer {peer.Label} takes new clients; it is neither draining nor down");

        return waited >= timeout ? (StatusCodes.Status200OK, model with { State = "timeout" }, null) : null;
    }

    private (Upstream Upstream, Peer Peer)? Find(UpstreamName name, string label) =>
        snapshots.Current.Find(name) is { } upstream && PeerView.Find(upstream, label) is { } peer
            ? (upstream, peer)
            : null;
}
