using StickyIngress.Control;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core.Affinity;
using StickyIngress.Settings;

namespace StickyIngress.Admin;

/// <summary>All that is wrong now: with resources and their files, and with the file of the affinity keys, which is no resource.</summary>
internal sealed class DiagnosticList(ReconcilerState reconciler, AffinityKeysHolder keys, ServeSettings settings)
{
    public IReadOnlyList<DiagnosticModel> Read() => keys.Trouble is { } trouble
        ? [Model(new(Severity.Error, Reasons.Unreadable, null, "", trouble, settings.AffinityKeys)), .. reconciler.Diagnostics.Select(Model)]
        : [.. reconciler.Diagnostics.Select(Model)];

    private static DiagnosticModel Model(Diagnostic diagnostic) => new(
        diagnostic.Severity == Severity.Error ? "error" : "warning", diagnostic.Reason, diagnostic.Resource?.Kind, diagnostic.Resource?.Namespace,
        diagnostic.Resource?.Name, diagnostic.Field, diagnostic.Message, diagnostic.File, diagnostic.Line > 0 ? diagnostic.Line : null);
}
