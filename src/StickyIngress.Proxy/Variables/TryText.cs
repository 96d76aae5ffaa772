using StickyIngress.Core.Cookies;
using StickyIngress.Core.Variables;
using StickyIngress.Proxy.Tries;

namespace StickyIngress.Proxy.Variables;

/// <summary>nginx's <c>$upstream_*</c> variables: an item for each try, joined by commas; of the last response for the named ones.</summary>
internal static class TryText
{
    public static string? Read(ProxyRequest request, Variable variable) => variable.Kind switch
    {
        VariableKind.UpstreamAddr => List(request, @try => @try.Address),
        VariableKind.UpstreamStatus => List(request, @try => @try.Status == 0 ? "-" : @try.Status.ToString()),
        VariableKind.UpstreamConnectTime => List(request, @try => Time(@try.ConnectTime)),
        VariableKind.UpstreamHeaderTime => List(request, @try => Time(@try.HeaderTime)),
        VariableKind.UpstreamResponseTime => List(request, @try => Time(@try.ResponseTime)),
        VariableKind.UpstreamResponseLength => List(request, @try => @try.ResponseLength.ToString()),
        VariableKind.UpstreamBytesSent => List(request, @try => @try.BytesSent.ToString()),
        VariableKind.UpstreamBytesReceived => List(request, @try => @try.BytesReceived.ToString()),
        VariableKind.UpstreamQueueTime => List(request, @try => Time(@try.Former is null ? request.QueueTime : -1)), // only the first one waits
        VariableKind.UpstreamLastServerName => request.LastTry?.Peer is { } peer ? ServerName(peer.Server) : null,
        VariableKind.UpstreamCacheStatus => request.Caching?.StatusWord,
        VariableKind.UpstreamHttpNamed => request.Response?.Header(variable.Name),
        VariableKind.UpstreamTrailerNamed => request.Response?.Trailer(variable.Name),
        VariableKind.UpstreamCookieNamed => Cookie(request, variable.Name),
        _ => null,
    };

    /// <summary>Seconds with three decimals, cut and not rounded.</summary>
    public static string Seconds(long milliseconds) => $"{milliseconds / 1000}.{milliseconds % 1000:000}";

    private static string Time(long milliseconds) => milliseconds < 0 ? "-" : Seconds(milliseconds);

    private static string? List(ProxyRequest request, Func<PeerTry, string> item)
    {
        if (request.LastTry is not { Former: not null }) return request.LastTry is { } only ? item(only) : null;

        var items = new Stack<string>();
        for (var @try = request.LastTry; @try is not null; @try = @try.Former) items.Push(item(@try));
        return string.Join(", ", items);
    }

    private static string? Cookie(ProxyRequest request, string name)
    {
        if (request.Response is not { } response) return null;

        foreach (var header in response.SetCookies)
        {
            if (CookieHeader.TryReadSetCookie(header, name, out var value)) return value.ToString();
        }

        return null;
    }

    private static string ServerName(string server)
    {
        var colon = server.LastIndexOf(':');
        return colon > 0 && server.AsSpan(colon + 1).IndexOfAnyExceptInRange('0', '9') < 0 ? server[..colon] : server;
    }
}
