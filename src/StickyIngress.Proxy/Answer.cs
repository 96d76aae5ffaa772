using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using StickyIngress.Proxy.Forwarding;

namespace StickyIngress.Proxy;

/// <summary>Responses of our own: a status and its name as plain text.</summary>
internal static class Answer
{
    public static Task WriteAsync(ProxyRequest request, int status)
    {
        if (request.Caching?.AnswersInstead(status) == true) return request.Caching.WriteKeptAsync(request);

        var response = request.Context.Response;
        if (response.HasStarted)
        {
            request.Context.Abort();
            return Task.CompletedTask;
        }

        Prepare(request, status);
        if (HttpMethods.IsHead(request.Context.Request.Method)) return Task.CompletedTask;

        var text = Encoding.ASCII.GetBytes($"{status} {ReasonPhrases.GetReasonPhrase(status)}\n");
        (response.ContentType, response.ContentLength) = ("text/plain", text.Length);
        return (request.ResponseBody ?? response.Body).WriteAsync(text, 0, text.Length);
    }

    /// <summary>308 to the same host and target over https.</summary>
    public static Task RedirectAsync(ProxyRequest request)
    {
        Prepare(request, StatusCodes.Status308PermanentRedirect);
        request.Context.Response.Headers.Location = $"https://{request.Host}{request.Target}";
        return Task.CompletedTask;
    }

    /// <summary>
    /// The client is told not to send its body: it waits to be asked for it, or it is too large or too slow, where nginx closes too. Whether it
    /// then sends it all the same nobody can know, and so nothing after it can be understood.
    /// </summary>
    private static bool LeavesBody(ProxyRequest request, int status) =>
        !HttpProtocol.IsHttp2(request.Context.Request.Protocol) && request.Body.HasBody
        && (status is StatusCodes.Status413PayloadTooLarge or StatusCodes.Status408RequestTimeout || request.Context.Request.Headers.Expect.Count > 0);

    /// <summary>Takes back whatever a failed try has left in the response.</summary>
    private static void Prepare(ProxyRequest request, int status)
    {
        var response = request.Context.Response;
        response.Headers.Clear();
        response.StatusCode = status;
        if (LeavesBody(request, status)) response.Headers.Connection = "close";
        if (request.Context.Features.Get<IHttpResponseFeature>() is { } feature) feature.ReasonPhrase = null;
        if (request.Settings is not null) ClientHeaders.Add(request, status);
    }
}
