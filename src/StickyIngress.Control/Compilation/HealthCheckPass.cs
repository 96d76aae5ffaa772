using System.Collections.Immutable;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Compilation;

/// <summary>Active checks, and what a healthy answer looks like. They go where requests go, so the proxy settings must be known.</summary>
internal static class HealthCheckPass
{
    private const string Field = "spec.healthCheck.match";

    public static void Run(PlanDraft draft)
    {
        if (draft.Spec.HealthCheck is not { } spec || draft.Proxy is not { } proxy) return;

        if (!StatusMatch.TryParse(spec.Match.Status, out var status, out var wrong)) Refuse(draft, $"{Field}.status", wrong);

        var headers = ImmutableArray.CreateBuilder<HeaderMatch>();
        for (var i = 0; i < spec.Match.Headers.Count; i++)
        {
            if (HeaderMatch.TryParse(spec.Match.Headers[i], out var header, out wrong)) headers.Add(header);
            else Refuse(draft, $"{Field}.headers[{i}]", wrong);
        }

        BodyMatch? body = null;
        if (spec.Match.Body.Length > 0 && !BodyMatch.TryParse(spec.Match.Body, out body, out wrong)) Refuse(draft, $"{Field}.body", wrong);
        if (status is null) return;

        draft.HealthCheck = new()
        {
            Source = spec,
            Path = spec.Path,
            Port = spec.Port,
            Host = proxy.Host is { IsLiteral: true, Text.Length: > 0 } ? proxy.Host.Text : null,
            Proxy = proxy,
            Interval = spec.Interval,
            Jitter = spec.Jitter,
            Timeout = spec.Timeout,
            Fails = spec.Fails,
            Passes = spec.Passes,
            Mandatory = spec.Mandatory,
            Persistent = spec.Persistent,
            Match = new(status, headers.ToImmutable(), body),
        };
    }

    private static void Refuse(PlanDraft draft, string field, string message) => draft.Found.Refuse(Reasons.InvalidHealthMatch, field, message);
}
