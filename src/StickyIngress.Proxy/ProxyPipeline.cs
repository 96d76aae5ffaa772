using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using StickyIngress.Core;
using StickyIngress.Core.Routing;
using StickyIngress.Proxy.Caching;
using StickyIngress.Proxy.Clients;

namespace StickyIngress.Proxy;

/// <summary>
/// A request's path on one page: route → (affinity → pick → forward)* → record. It ends the request; nothing comes after it.
/// </summary>
public sealed class ProxyPipeline(
    SnapshotHolder snapshots, UpstreamHandler upstreams, ResponseCache responses, TrustedProxies trusted, Clock clock, ProxyMetrics metrics,
    IAccessLog accessLog, ILogger<ProxyPipeline> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var request = new ProxyRequest(context, clock, trusted.Identify(context));
        metrics.Begin();
        try
        {
            await ServeAsync(request);
        }
        catch (BadHttpRequestException e)
        {
            // The client's fault, which nobody took notice of. Past here the server would take it for a request that never came to us.
            await Answer.WriteAsync(request, e.StatusCode);
        }
        catch (Exception e) when (e is not ResponseCutException)
        {
            Log.RequestFailed(logger, e, request.Id);
            throw;
        }
        finally
        {
            metrics.End(request);
            accessLog.Write(request);
            request.Body.Dispose();
        }
    }

    private Task ServeAsync(ProxyRequest request)
    {
        var context = request.Context;
        var snapshot = snapshots.Current;
        if (RequestTarget.IsRefused(context)) return Answer.WriteAsync(request, StatusCodes.Status405MethodNotAllowed);
        if (RequestFraming.Refusal(context.Request) is > 0 and var refusal) return Answer.WriteAsync(request, refusal);
        if (!RequestTarget.TryRead(request)) return Answer.WriteAsync(request, StatusCodes.Status400BadRequest);

        var route = snapshot.Routes.Match(request.Host, RequestPath.ForMatching(context.Request.Path.Value ?? "/"));
        if (route is null) return Answer.WriteAsync(request, StatusCodes.Status404NotFound);

        request.Settings = route.Proxy;
        if (route.Upstream >= 0) request.Upstream = snapshot.Upstreams[route.Upstream];
        if (route.RedirectToHttps && !request.IsHttps) return Answer.RedirectAsync(request);
        if (request.Upstream is not { HasPeers: true }) return Answer.WriteAsync(request, StatusCodes.Status503ServiceUnavailable);
        if (!TryLimitBody(context, route.Proxy.MaxBodySize)) return Answer.WriteAsync(request, StatusCodes.Status413PayloadTooLarge);

        return route.Proxy.Cache is { } cache ? responses.HandleAsync(request, cache, upstreams) : upstreams.HandleAsync(request);
    }

    /// <summary>False where the request says that its body is larger; else the server counts while it reads.</summary>
    private static bool TryLimitBody(HttpContext context, long limit)
    {
        if (limit > 0 && context.Request.ContentLength > limit) return false;

        var feature = context.Features.Get<IHttpMaxRequestBodySizeFeature>();
        if (feature is { IsReadOnly: false }) feature.MaxRequestBodySize = limit > 0 ? limit : null;
        return true;
    }
}
