using System.Text.Json.Serialization.Metadata;
using Prometheus;
using StickyIngress.Core;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Admin;

/// <summary>What the admin port answers.</summary>
internal static class AdminEndpoints
{
    private const string PeerPath = "/api/v1/upstreams/{namespace}/{name}/peers/{**peer}";

    private const string There = "there is /healthz, /readyz, /metrics, /api/v1/upstreams, /api/v1/upstreams/{namespace}/{name}, .../peers/{peer} of it, "
        + "/api/v1/sessions/{namespace}/{name}, /api/v1/diagnostics and /drain/{namespace}/{upstream}/{peer}";

    public static void Map(IEndpointRouteBuilder app, IServiceProvider services)
    {
        var readiness = services.GetRequiredService<Readiness>();
        app.MapGet("/healthz", static context => context.Response.WriteAsync("ok\n"));
        app.MapGet("/readyz", context => WriteReadyAsync(context, readiness.IsReady));
        app.MapGet("/metrics", context => WriteMetricsAsync(context, services));

        var snapshots = services.GetRequiredService<SnapshotHolder>();
        var views = new UpstreamViews(services.GetRequiredService<Clock>());
        var peers = ActivatorUtilities.CreateInstance<PeerEndpoint>(services, views);
        app.MapGet("/api/v1/upstreams", context => WriteAsync(
            context, [.. snapshots.Current.Upstreams.Select(views.Upstream)], AdminJson.Default.IReadOnlyListUpstreamModel));
        app.MapGet("/api/v1/upstreams/{namespace}/{name}", context =>
            WithUpstream(context, snapshots, upstream => WriteAsync(context, views.Upstream(upstream), AdminJson.Default.UpstreamModel)));
        app.MapGet(PeerPath, context => WritePeerAsync(context, peers.Show(Upstream(context), Value(context, "peer"))));
        app.MapPatch(PeerPath, async context =>
            await WritePeerAsync(context, await peers.ChangeAsync(Upstream(context), Value(context, "peer"), context)));
        app.MapGet("/api/v1/sessions/{namespace}/{name}", context =>
            WithUpstream(context, snapshots, upstream => WriteSessionsAsync(context, upstream)));

        var drain = ActivatorUtilities.CreateInstance<DrainEndpoint>(services);
        app.MapGet("/drain/{namespace}/{upstream}/{peer}", context => DrainAsync(context, drain));

        var diagnostics = ActivatorUtilities.CreateInstance<DiagnosticList>(services);
        app.MapGet("/api/v1/diagnostics", context => WriteAsync(context, diagnostics.Read(), AdminJson.Default.IReadOnlyListDiagnosticModel));
    }

    /// <summary>To stand behind routing: 404 and 405 say what there is.</summary>
    public static async Task AnswerUnknown(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint() is null)
        {
            await WriteErrorAsync(context, StatusCodes.Status404NotFound, There);
            return;
        }

        await next(context);
        if (context.Response is { StatusCode: StatusCodes.Status405MethodNotAllowed, HasStarted: false } response)
            await WriteErrorAsync(context, response.StatusCode, $"{context.Request.Method} is not allowed here; {response.Headers.Allow} is");
    }

    private static Task WriteReadyAsync(HttpContext context, bool ready)
    {
        if (!ready) context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        return context.Response.WriteAsync(ready ? "ready\n" : "not ready\n");
    }

    private static async Task WriteMetricsAsync(HttpContext context, IServiceProvider services)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        await services.GetRequiredService<CollectorRegistry>().CollectAndExportAsTextAsync(context.Response.Body, context.RequestAborted);
        await services.GetRequiredService<SnapshotMetrics>().WriteAsync(new(context.Response.Body), context.RequestAborted);
    }

    private static Task WithUpstream(HttpContext context, SnapshotHolder snapshots, Func<Upstream, Task> write)
    {
        var name = Upstream(context);
        return snapshots.Current.Find(name) is { } upstream
            ? write(upstream)
            : WriteErrorAsync(context, StatusCodes.Status404NotFound, $"there is no upstream {name}");
    }

    private static Task WriteSessionsAsync(HttpContext context, Upstream upstream) => upstream.Affinity is null
        ? WriteErrorAsync(context, StatusCodes.Status404NotFound, $"upstream {upstream} has no affinity")
        : WriteAsync(context, UpstreamViews.Sessions(upstream, context.Request.Query["key"]), AdminJson.Default.SessionsModel);

    private static async Task DrainAsync(HttpContext context, DrainEndpoint drain)
    {
        var (status, model, error) = await drain.WaitAsync(
            new(Value(context, "namespace"), Value(context, "upstream")), Value(context, "peer"), context.Request.Query["timeout"], context.RequestAborted);
        if (model is null) await WriteErrorAsync(context, status, error!);
        else await WriteAsync(context, model, AdminJson.Default.DrainModel);
    }

    private static Task WritePeerAsync(HttpContext context, PeerAnswer answer) => answer.Peer is { } peer
        ? WriteAsync(context, peer, AdminJson.Default.PeerModel)
        : WriteErrorAsync(context, answer.Status, answer.Error!);

    private static UpstreamName Upstream(HttpContext context) => new(Value(context, "namespace"), Value(context, "name"));

    private static string Value(HttpContext context, string key) => context.Request.RouteValues[key] as string ?? "";

    private static Task WriteErrorAsync(HttpContext context, int status, string message)
    {
        context.Response.StatusCode = status;
        return WriteAsync(context, new ErrorModel(message), AdminJson.Default.ErrorModel);
    }

    private static Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type) =>
        context.Response.WriteAsJsonAsync(value, type, cancellationToken: context.RequestAborted);
}
