using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Control.Compilation;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Status;

namespace StickyIngress.Control;

/// <summary>How the reconciler is doing, for the admin port; readable from any thread.</summary>
public sealed class ReconcilerState
{
    private volatile Reconciled? _last;

    /// <summary>A snapshot has been published.</summary>
    public bool IsReady => _last is not null;

    /// <summary>Revision of the published snapshot; 0: none yet.</summary>
    public long Revision => _last?.Result.Snapshot.Revision ?? 0;

    /// <summary>When resources were last compiled and published without a failure of ours; null: never.</summary>
    public DateTimeOffset? LastSuccess => _last?.At;

    public ImmutableArray<Diagnostic> Diagnostics => _last?.Result.Diagnostics ?? [];

    /// <summary>What became of each resource of ours, and of each that something is wrong with.</summary>
    public IReadOnlyDictionary<ResourceRef, ResourceStatus> Statuses =>
        _last?.Result.Statuses ?? ImmutableDictionary<ResourceRef, ResourceStatus>.Empty;

    /// <summary>Resources of other installations that were left alone.</summary>
    public int Ignored => _last?.Result.Ignored ?? 0;

    internal void Succeeded(CompileResult compilation, DateTimeOffset at) => _last = new(compilation, at);

    private sealed record Reconciled(CompileResult Result, DateTimeOffset At);
}
