using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyIngress.Core.Routing;

namespace StickyIngress.Proxy;

/// <summary>Reads host and target of a request as they came.</summary>
internal static class RequestTarget
{
    /// <summary>False where there is no telling what is asked for: answered with 400.</summary>
    public static bool TryRead(ProxyRequest request)
    {
        var context = request.Context;
        var raw = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        if (!TryReadHost(request, context.Request.Headers.Host.ToString())) return false;
        if (raw.StartsWith('/'))
        {
            request.Target = raw;
            return true;
        }

        // Absolute form (RFC 9112, section 3.2.2): the server has put its authority into Host already.
        var scheme = raw.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0) return IsExtendedConnect(context);

        var path = raw.AsSpan(scheme + 3).IndexOfAny('/', '?');
        request.Target = path < 0 ? "/" : raw[(scheme + 3 + path)..];
        if (request.Target[0] == '?') request.Target = "/" + request.Target;
        return true;
    }

    /// <summary>Methods that a reverse proxy has no use for; nginx refuses them too.</summary>
    public static bool IsRefused(HttpContext context) =>
        context.Request.Method == "TRACE" || (context.Request.Method == "CONNECT" && !IsExtendedConnect(context));

    private static bool IsExtendedConnect(HttpContext context) =>
        context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true };

    private static bool TryReadHost(ProxyRequest request, string header)
    {
        if (header.Length > 512) return false;

        Span<char> buffer = stackalloc char[header.Length];
        if (!RequestHost.TryNormalize(header, buffer, out var length)) return false;

        var host = buffer[..length];
        request.Host = host.SequenceEqual(header) ? header : host.ToString();
        return true;
    }
}
