using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyIngress.Control.Compilation;
using StickyIngress.Control.Resolving;
using StickyIngress.Control.Sources;
using StickyIngress.Control.Status;
using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control;

/// <summary>
/// Desired state in; snapshot and status out. It works from the whole state and never from a single event, so a missed or repeated
/// event costs nothing; it never dies, and until the next good compile the last snapshot serves.
/// </summary>
public sealed class Reconciler(
    IResourceSource source,
    IHostResolver resolver,
    SnapshotCompiler compiler,
    SnapshotHolder snapshots,
    UpstreamStates states,
    SessionZones zones,
    Clock clock,
    IStatusWriter status,
    IEnumerable<IReconcileObserver> observers,
    IEnumerable<IResolverObserver> resolverObservers,
    ReconcilerState state,
    TimeProvider time,
    ILogger<Reconciler> logger) : BackgroundService
{
    /// <summary>How long a publish waits for names that were never looked up; later answers are published as they come.</summary>
    private static readonly TimeSpan DnsPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SourceRestart = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _changed = new(0);
    private readonly SemaphoreSlim _reconciled = new(0);
    private ResourceSet? _next;
    private CompileResult? _last;

    public override void Dispose()
    {
        _changed.Dispose();
        _reconciled.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var hosts = new HostNames(resolver, time, Wake, stoppingToken);
        var followed = new FollowedNames(resolverObservers, time, Wake, stoppingToken);
        var watching = WatchAsync(stoppingToken);
        using var expiry = new Alarm(Wake, time);
        compiler.Keys.Changed += Wake;
        compiler.Overrides.Changed += Wake;
        ResourceSet? resources = null;
        try
        {
            while (true)
            {
                await _changed.WaitAsync(stoppingToken);

                // One pass serves every change that has come in the meantime.
                while (_changed.CurrentCount > 0) await _changed.WaitAsync(stoppingToken);
                var next = Interlocked.Exchange(ref _next, null);
                resources = next ?? resources;
                if (resources is not null) await ReconcileAsync(resources, hosts, followed, stoppingToken);
                if (next is not null) _reconciled.Release();
                expiry.Set(_last?.NextExpiry);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await watching;
        }
        finally
        {
            compiler.Keys.Changed -= Wake;
            compiler.Overrides.Changed -= Wake;
        }
    }

    internal async Task ReconcileAsync(ResourceSet resources, HostNames hosts, FollowedNames followed, CancellationToken cancellationToken)
    {
        try
        {
            var result = Compile(resources, Book());
            await Task.WhenAll(
                hosts.UseAsync(result.Names.Hosts, DnsPatience),
                followed.UseAsync(result.Names.Followed, DnsPatience));
            if (Book() is var book && !book.IsSameAs(result.Addresses)) result = Compile(resources, book);

            Publish(result);
            await status.WriteAsync(result.ChangedStatuses, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A mistake in a resource is a diagnostic, so this is our fault. The next change is the retry.
            Log.ReconcileFailed(logger, e);
        }

        AddressBook Book() => hosts.Book with { Answers = followed.Answers };
    }

    private void Wake() => _changed.Release();

    private void Wake(PeerRef peer, PeerOverride change) => Wake();

    private CompileResult Compile(ResourceSet resources, AddressBook addresses)
    {
        var started = time.GetTimestamp();
        var result = compiler.Compile(resources, addresses, _last);
        foreach (var observer in observers) observer.Compiled(time.GetElapsedTime(started), result);
        return result;
    }

    private void Publish(CompileResult result)
    {
        var first = _last is null;
        _last = result;
        if (first || result.Snapshot != snapshots.Current)
        {
            foreach (var change in result.Changes)
            {
                if (change.Current is not { } current) continue;

                // Peers that go are remembered first, or else a client of theirs that comes with the swap would be taken for a forger.
                UpstreamStates.Retain(current);
                PeerHealth.Admit(current);
                SlowStart.Admit(current, clock.Milliseconds);
            }

            snapshots.Publish(result.Snapshot);
            Log.Published(logger, result.Snapshot.Revision, result.Snapshot.Upstreams.Length, result.Changes.Length);
            Forget(result);
        }

        state.Succeeded(result, time.GetUtcNow());
        foreach (var observer in observers) observer.Published(result);
    }

    /// <summary>
    /// Drops the states and sessions of what is gone, now that no new request can come to it, and wakes who waits for what changed.
    /// </summary>
    private void Forget(CompileResult result)
    {
        foreach (var change in result.Changes)
        {
            if (change.Current is null) states.Remove(change.Former!.Name);
            else Release(change.Former, change.Current);

            (change.Current ?? change.Former)!.State.Queue.Changed();
        }

        // A zone that one upstream left may be another's by now.
        var left = result.Changes.Select(change => change.LeftZone).OfType<string>().ToHashSet();
        if (left.Count > 0) left.ExceptWith(result.Zones);
        foreach (var zone in left) zones.Remove(zone);
    }

    private static void Release(Upstream? former, Upstream current)
    {
        if (former?.Affinity is not LearnAffinity learn) return;

        foreach (var gone in former.Peers.ExceptBy(current.Peers.Select(peer => peer.Id), peer => peer.Id)) learn.Release(gone);
    }

    /// <summary>
    /// Takes each set as it comes, and the next only when this one is in service: what changes meanwhile is then in one set, and as none is
    /// skipped each says what changed. A source that fails although it must not is started again.
    /// </summary>
    private async Task WatchAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await foreach (var resources in source.WatchAsync(stoppingToken))
                {
                    Volatile.Write(ref _next, resources);
                    _changed.Release();
                    await _reconciled.WaitAsync(stoppingToken);
                }

                return;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                Log.SourceFailed(logger, e);
            }

            await Task.Delay(SourceRestart, time, stoppingToken);
        }
    }
}
