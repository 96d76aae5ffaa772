using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace StickyIngress.Proxy.Forwarding;

/// <summary>What we add to a response for the client: the affinity cookie, before the peer's own cookies, and the route's headers.</summary>
internal static class ClientHeaders
{
    /// <summary>To be called once, when status and headers of the answer are settled.</summary>
    public static void Add(ProxyRequest request, int status)
    {
        var headers = request.Context.Response.Headers;
        request.Caching?.HeadersReceived(status, headers);
        if (request.Selection?.SetCookie is { } cookie)
            headers.SetCookie = StringValues.Concat(HeaderText.Safe(cookie), headers.SetCookie);

        foreach (var (name, template, always) in request.Settings.ResponseHeaders)
        {
            if (!always && !HasGoodStatus(status)) continue;

            var value = template.Evaluate(request);
            if (value.Length > 0) headers.Append(name, HeaderText.Safe(value));
        }
    }

    /// <summary>nginx's add_header without always.</summary>
    private static bool HasGoodStatus(int status) =>
        status is 200 or 201 or 204 or 206 or 301 or 302 or 303 or 304 or 307 or 308;
}
