using StickyIngress.Core.Sessions;
using StickyIngress.Core.Sharing;
using StickyIngress.Sync;

namespace StickyIngress;

/// <summary>
/// Keeps the connection to the store that replicas share sessions, and changes of peers, through. A start waits for it a moment, so that the first
/// requests find what other replicas know, and a stop until what was learned last is written; neither waits for a store that is away.
/// </summary>
internal sealed class SessionSync(RedisConnection connection, RedisStore store, SessionSharing sharing, SessionZones zones, TimeProvider time,
    ILogger<SessionSync> logger, SharedPeers? peers = null)
    : LifecycleService, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;
    private bool _disposed;

    public override Task StartingAsync(CancellationToken cancellationToken)
    {
        zones.Removed += sharing.Leave;
        _running = Task.WhenAll(RunAsync(connection.RunAsync), RunAsync(sharing.RunAsync), peers is null ? Task.CompletedTask : RunAsync(peers.RunAsync));
        return WaitWhileAsync(() => sharing.IsAway, cancellationToken);
    }

    /// <summary>After the last request has ended.</summary>
    public override async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await WaitWhileAsync(() => sharing is { IsAway: false, Pending: > 0 }, cancellationToken);
        await DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;

        _disposed = true;
        zones.Removed -= sharing.Leave;
        await _stopping.CancelAsync();
        await _running;
        await store.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task RunAsync(Func<CancellationToken, Task> run)
    {
        try
        {
            await run(_stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // Serving has ended.
        }
        catch (Exception e)
        {
            Log.SharingEnded(logger, e);
        }
    }

    private async Task WaitWhileAsync(Func<bool> condition, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (condition() && time.GetElapsedTime(started) < Patience) await Task.Delay(Step, time, cancellationToken);
    }
}
