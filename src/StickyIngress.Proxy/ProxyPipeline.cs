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
    private const int LongRequest = 2048;

    public Task InvokeAsync(HttpContext context)
    {
        var request = Begin(context);
        return EndAsync(request, Serve(request));
    }

    /*
     * In three steps, so that a session which sees a request end need not wait for it: each method that waits costs about as much as a header.
     */
    internal ProxyRequest Begin(HttpContext context)
    {
        var request = new ProxyRequest(context, clock, trusted.Identify(context));
        metrics.Begin();
        return request;
    }

    /// <summary>Its failures are the task's, for <see cref="TryEnd"/> or <see cref="EndAsync"/>.</summary>
    internal Task Serve(ProxyRequest request)
    {
        try
        {
            return IsLong(request.Context) ? ServeLaterAsync(request) : ServeAsync(request);
        }
        catch (Exception e)
        {
            return Task.FromException(e);
        }
    }

    /// <summary>What is done with a request that was served; false: something went wrong, and it is for <see cref="EndAsync"/>.</summary>
    internal bool TryEnd(ProxyRequest request, Task served)
    {
        if (!served.IsCompletedSuccessfully) return false;

        Record(request);
        return true;
    }

    /// <summary>The same when it is served.</summary>
    internal async Task EndAsync(ProxyRequest request, Task served)
    {
        try
        {
            await served;
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
            Record(request);
        }
    }

    private void Record(ProxyRequest request)
    {
        // The server finds that its body has no end, and would have it counted once more.
        if (request.Body.HasBody && !request.Context.Response.HasStarted) request.Context.Features.Set(request);
        metrics.End(request);
        accessLog.Write(request);
        request.Body.Dispose();
    }

    private async Task ServeLaterAsync(ProxyRequest request)
    {
        await Task.Yield();
        await ServeAsync(request);
    }

    private Task ServeAsync(ProxyRequest request)
    {
        var context = request.Context;
        var snapshot = snapshots.Current;
        if (RequestTarget.IsRefused(context)) return AnswerAsync(request, StatusCodes.Status405MethodNotAllowed);
        if (RequestFraming.Refusal(context.Request) is > 0 and var refusal) return AnswerAsync(request, refusal);
        if (!RequestTarget.TryRead(request)) return AnswerAsync(request, StatusCodes.Status400BadRequest);

        var route = snapshot.Routes.Match(request.Host, RequestPath.ForMatching(context.Request.Path.Value ?? "/"));
        if (route is null) return AnswerAsync(request, StatusCodes.Status404NotFound);

        request.Settings = route.Proxy;
        if (route.Upstream >= 0) request.Upstream = snapshot.Upstreams[route.Upstream];
        if (route.Https is { } https && !request.IsHttps && https.Contain(request.Host)) return RedirectAsync(request);
        if (request.Upstream is not { HasPeers: true }) return AnswerAsync(request, StatusCodes.Status503ServiceUnavailable);
        if (request.Body.HasBody && !TryLimitBody(context, route.Proxy.MaxBodySize)) return AnswerAsync(request, StatusCodes.Status413PayloadTooLarge);

        return route.Proxy.Cache is null ? upstreams.HandleAsync(request) : HandleCachedAsync(request);
    }

    /// <summary>An answer from here waits for nobody, so a client that sends many requests at once would have the thread for itself.</summary>
    private static async Task AnswerAsync(ProxyRequest request, int status)
    {
        await Task.Yield();
        await Answer.WriteAsync(request, status);
    }

    private static async Task RedirectAsync(ProxyRequest request)
    {
        await Task.Yield();
        await Answer.RedirectAsync(request);
    }

    private async Task HandleCachedAsync(ProxyRequest request)
    {
        await Task.Yield();
        await responses.HandleAsync(request, request.Settings.Cache!, upstreams);
    }

    /// <summary>What is looked for in a target or a cookie takes the longer the longer they are, so others must not wait for it.</summary>
    private static bool IsLong(HttpContext context)
    {
        var length = context.Features.Get<IHttpRequestFeature>()!.RawTarget.Length;
        foreach (var cookie in context.Request.Headers.Cookie) length += cookie?.Length ?? 0;
        return length > LongRequest;
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
