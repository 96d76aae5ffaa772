using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Status;

/// <summary>Tells users what became of their resources: in the log, or in the status of the objects.</summary>
public interface IStatusWriter
{
    /// <summary>Called after each publish with the resources whose status may have changed. Never throws but for cancellation.</summary>
    Task WriteAsync(ImmutableArray<ResourceStatus> statuses, CancellationToken cancellationToken);
}

/// <summary>What became of one resource.</summary>
/// <param name="Diagnostics">All that was found about it, errors first.</param>
/// <param name="Programmed">This generation serves traffic (an older one may while this is refused).</param>
/// <param name="Peers">Null for anything but a StickyUpstream.</param>
public sealed record ResourceStatus(
    ResourceRef Resource, long Generation, ImmutableArray<Diagnostic> Diagnostics, bool Programmed, PeersStatus? Peers)
{
    /// <summary>The resource is no more, or no longer ours: there is nothing to write, only to forget.</summary>
    public bool Gone { get; init; }
}
