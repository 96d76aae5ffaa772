using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Status;

/// <summary>Statuses as lines of the log: each diagnostic once when it appears, and a line when a resource has none left.</summary>
public sealed class LogStatusWriter(ILogger<LogStatusWriter> logger) : IStatusWriter
{
    private readonly Dictionary<ResourceRef, ImmutableArray<Diagnostic>> _told = [];

    public Task WriteAsync(ImmutableArray<ResourceStatus> statuses, CancellationToken cancellationToken)
    {
        foreach (var status in statuses) Write(status);
        return Task.CompletedTask;
    }

    private void Write(ResourceStatus status)
    {
        var told = _told.GetValueOrDefault(status.Resource, []);
        foreach (var found in status.Diagnostics.Except(told))
        {
            if (found.Severity == Severity.Error) Log.FoundError(logger, found);
            else Log.FoundWarning(logger, found);
        }

        if (!status.Diagnostics.IsEmpty)
        {
            _told[status.Resource] = status.Diagnostics;
            return;
        }

        if (_told.Remove(status.Resource) && !status.Gone) Log.Mended(logger, status.Resource.ToString());
    }
}
