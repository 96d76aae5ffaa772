using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace StickyIngress.Proxy.Forwarding;

/// <summary>Which headers end at a proxy (RFC 9110, section 7.6.1), and which of its own it sets. Shared by all forwarders.</summary>
internal static class HeaderRules
{
    private static readonly FrozenSet<string> HopByHop = new[]
    {
        HeaderNames.Connection, HeaderNames.KeepAlive, HeaderNames.ProxyConnection, HeaderNames.TE, HeaderNames.Trailer,
        HeaderNames.TransferEncoding, HeaderNames.Upgrade, HeaderNames.ProxyAuthenticate, HeaderNames.ProxyAuthorization,
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Those, and what is set by us or of meaning only to us.</summary>
    private static readonly FrozenSet<string> KeptFromPeer = HopByHop.Union(
    [
        HeaderNames.Host, HeaderNames.Expect, ForwardedHeaders.For, ForwardedHeaders.Proto, ForwardedHeaders.Host, ForwardedHeaders.RealIp,
    ]).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>What a message is delimited or routed by, which a trailer comes too late for (RFC 9110, section 6.5.1).</summary>
    private static readonly FrozenSet<string> NotInTrailer = KeptFromPeer.Union(
    [
        HeaderNames.ContentLength, HeaderNames.ContentType, HeaderNames.ContentEncoding, HeaderNames.ContentRange, HeaderNames.Authorization,
        HeaderNames.Cookie, HeaderNames.SetCookie, HeaderNames.CacheControl, HeaderNames.MaxForwards,
    ]).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static bool IsPassedToPeer(string name, IHeaderDictionary headers) =>
        !KeptFromPeer.Contains(name) && !name.StartsWith(':') && !IsNamedBy(headers.Connection, name);

    public static bool IsPassedToClient(string name) => !HopByHop.Contains(name);

    public static bool IsPassedInTrailer(string name) => !NotInTrailer.Contains(name);

    /// <summary>The message's own Connection header says that it is for one hop.</summary>
    private static bool IsNamedBy(StringValues connection, string name)
    {
        foreach (var value in connection)
        {
            if (value is null or "keep-alive" or "close") continue;

            foreach (var range in value.AsSpan().Split(','))
            {
                if (value.AsSpan()[range].Trim().Equals(name, StringComparison.OrdinalIgnoreCase)) return true;
            }
        }

        return false;
    }
}
