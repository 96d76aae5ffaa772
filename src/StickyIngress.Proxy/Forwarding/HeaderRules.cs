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

    /// <summary>Set by us, or of meaning only to us.</summary>
    private static readonly FrozenSet<string> Replaced = new[]
    {
        HeaderNames.Host, HeaderNames.Expect, ForwardedHeaders.For, ForwardedHeaders.Proto, ForwardedHeaders.Host, ForwardedHeaders.RealIp,
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static bool IsPassedToPeer(string name, IHeaderDictionary headers) =>
        !Replaced.Contains(name) && !name.StartsWith(':') && !IsHopByHop(name, headers.Connection);

    public static bool IsPassedToClient(string name) => !HopByHop.Contains(name);

    /// <summary>Named in the standard or, besides, in the message's own Connection header.</summary>
    private static bool IsHopByHop(string name, StringValues connection)
    {
        if (HopByHop.Contains(name)) return true;
        if (connection.Count == 0) return false;

        foreach (var value in connection)
        {
            foreach (var range in value.AsSpan().Split(','))
            {
                if (value.AsSpan()[range].Trim().Equals(name, StringComparison.OrdinalIgnoreCase)) return true;
            }
        }

        return false;
    }
}
