using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StickyIngress.Proxy.Clients;

namespace StickyIngress.Proxy.Forwarding;

/// <summary>What the peer learns of the client: a trusted proxy's words are kept and added to, anybody else's are replaced.</summary>
internal static class ForwardedHeaders
{
    public const string For = "X-Forwarded-For";
    public const string Proto = "X-Forwarded-Proto";
    public const string Host = "X-Forwarded-Host";
    public const string RealIp = "X-Real-IP";

    public static void Write<TSink>(ProxyRequest request, TSink sink, Action<TSink, string, string> add)
    {
        var headers = request.Context.Request.Headers;
        var trusted = request.Client.Trusted;
        var address = (trusted ? TrustedProxies.Unmapped(request.Context.Connection.RemoteIpAddress) : request.ClientAddress)?.ToString() ?? "unix:";

        var forwarded = trusted ? headers[For] : StringValues.Empty;
        add(sink, For, forwarded.Count == 0 ? address : $"{ProxyRequest.Joined(forwarded, ", ")}, {address}");
        add(sink, Proto, Kept(headers, Proto, trusted) ?? (request.IsHttps ? "https" : "http"));
        if ((Kept(headers, Host, trusted) ?? headers.Host.ToString()) is { Length: > 0 } host) add(sink, Host, host);
        add(sink, RealIp, trusted ? request.ClientAddress?.ToString() ?? "unix:" : address);
    }

    private static string? Kept(IHeaderDictionary headers, string name, bool trusted) => trusted ? ProxyRequest.Joined(headers[name], ", ") : null;
}
