using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Control.Compilation;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Sources;
using StickyIngress.Control.Status;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control;

/// <summary>How the reconciler is doing, for the admin port; readable from any thread.</summary>
public sealed class ReconcilerState
{
    private volatile Reconciled? _last;
    private TaskCompletionSource _next = NewSignal();

    /// <summary>A snapshot has been published.</summary>
    public bool IsReady => _last is not null;

    /// <summary>Revision of the published snapshot; 0: none yet.</summary>
    public long Revision => _last?.Result.Snapshot.Revision ?? 0;

    /// <summary>When resources were last compiled and published without a failure of ours; null: never.</summary>
    public DateTimeOffset? LastSuccess => _last?.At;

    public ImmutableArray<Diagnostic> Diagnostics => _last?.Result.Diagnostics ?? [];

    /// <summary>What became of each resource of ours, and of each that something is wrong with.</summary>
    public IReadOnlyDictionary<ResourceRef, ResourceStatus> Statuses =>
        _last?.Result.Statuses ?? ResourceMap<ResourceStatus>.Empty;

    /// <summary>Resources of other installations that were left alone.</summary>
    public int Ignored => _last?.Result.Ignored ?? 0;

    /// <summary>Ends when what was changed at run time up to there is in service.</summary>
    public async Task ServesAsync(PeerOverrides overrides, CancellationToken cancellationToken)
    {
        while (true)
        {
            // Taken before looking, so that no publish is missed.
            var next = Volatile.Read(ref _next).Task;
            if (_last?.Result.Overrides.Version >= overrides.Version) return;

            await next.WaitAsync(cancellationToken);
        }
    }

    internal void Succeeded(CompileResult compilation, DateTimeOffset at)
    {
        _last = new(compilation, at);
        Interlocked.Exchange(ref _next, NewSignal()).SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed record Reconciled(CompileResult Result, DateTimeOffset At);
}
