using System.Collections.Immutable;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using StickyIngress.Api;
using StickyIngress.Control.Compilation;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Status;

namespace StickyIngress.Kubernetes.Status;

/// <summary>
/// Tells refusals and conflicts as events.k8s.io/v1 Events: one for all that is wrong with a resource, again only when that changes, and
/// no more per minute than allowed. What is left out is not lost: the status says it too.
/// </summary>
internal sealed class EventWriter(ApiServer server, ClusterOptions options, TimeProvider time, ILogger logger)
{
    private const int LongestNote = 1024;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Dictionary<ResourceRef, string> _told = [];
    private long _minuteBegan = time.GetTimestamp();
    private int _thisMinute;

    /// <summary>Forgets the resource: it is gone.</summary>
    public void Forget(ResourceRef named) => _told.Remove(named);

    /// <summary>Never throws but for cancellation.</summary>
    public async Task TellAsync(Resource resource, string apiVersion, ResourceStatus status, CancellationToken cancellationToken)
    {
        var errors = status.Diagnostics.Where(found => found.Severity == Severity.Error || found.Reason == Reasons.Conflicted).ToImmutableArray();
        var note = string.Join("; ", errors.Select(found => found.Field.Length > 0 ? $"{found.Field}: {found.Message}" : found.Message));
        if (note.Length > LongestNote) note = note[..LongestNote];
        if (note == _told.GetValueOrDefault(status.Resource, "")) return;

        _told[status.Resource] = note;
        if (note.Length == 0 || !Allowed()) return;

        try
        {
            var json = Event(resource, apiVersion, errors[0].Reason, note);
            using var content = new StringContent(json.ToJsonString(), Encoding.UTF8, "application/json");
            var path = $"/apis/events.k8s.io/v1/namespaces/{resource.Metadata.Namespace}/events";
            using var response = await server.SendAsync(HttpMethod.Post, path, content, HttpVersion.Version11, cancellationToken);
        }
        catch (Exception e) when (e is ApiServerException or HttpRequestException or IOException)
        {
            Log.EventFailed(logger, status.Resource.ToString(), e.Message);
        }
    }

    private bool Allowed()
    {
        if (time.GetElapsedTime(_minuteBegan) >= Minute) (_minuteBegan, _thisMinute) = (time.GetTimestamp(), 0);
        return _thisMinute++ < options.Status.EventsPerMinute;
    }

    private JsonObject Event(Resource resource, string apiVersion, string reason, string note)
    {
        var now = time.GetUtcNow();
        return new()
        {
            ["apiVersion"] = "events.k8s.io/v1",
            ["kind"] = "Event",
            ["metadata"] = new JsonObject
            {
                ["name"] = $"{resource.Metadata.Name}.{now.UtcTicks:x}",
                ["namespace"] = resource.Metadata.Namespace,
            },
            ["eventTime"] = now.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'"),
            ["reportingController"] = CompilerOptions.Controller,
            ["reportingInstance"] = options.PodName,
            ["action"] = "Compile",
            ["type"] = "Warning",
            ["reason"] = reason,
            ["note"] = note,
            ["regarding"] = new JsonObject
            {
                ["apiVersion"] = apiVersion,
                ["kind"] = resource.Kind,
                ["namespace"] = resource.Metadata.Namespace,
                ["name"] = resource.Metadata.Name,
                ["uid"] = resource.Metadata.Uid,
            },
        };
    }
}
