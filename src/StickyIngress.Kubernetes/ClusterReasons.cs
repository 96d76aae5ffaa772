using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Kubernetes;

/// <summary>The reason words that only a cluster gives.</summary>
public static class ClusterReasons
{
    public const string WatchForbidden = nameof(WatchForbidden);

    internal static Diagnostic Forbidden(ResourceRef? resource, string what, string said) =>
        new(Severity.Warning, WatchForbidden, resource, "", $"the API server does not let us read {what}: {said}");

    internal static Diagnostic Unreadable(ResourceRef? resource, string what, string why) =>
        new(Severity.Error, Reasons.Unreadable, resource, "", $"an object among {what} cannot be read, and what it was stays in service: {why}");
}
