using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace StickyIngress.Proxy.Clients;

/// <summary>
/// Whose X-Forwarded-For and X-Forwarded-Proto are believed. The client is the last address in the list that is not itself a
/// trusted proxy, as nginx's <c>real_ip_recursive</c> finds it.
/// </summary>
public sealed class TrustedProxies(IReadOnlyList<IPNetwork> networks)
{
    public static TrustedProxies None { get; } = new([]);

    /// <summary>A dual-stack socket shows IPv4 clients as mapped IPv6; nginx on an IPv4 socket does not.</summary>
    public static IPAddress? Unmapped(IPAddress? address) => address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;

    public Client Identify(HttpContext context)
    {
        var connection = context.Connection;
        var direct = Unmapped(connection.RemoteIpAddress);
        if (networks.Count == 0 || direct is null || !Trusts(direct))
            return new(direct, connection.RemotePort, context.Request.IsHttps, Trusted: false);

        var address = FirstUntrusted(context.Request.Headers["X-Forwarded-For"], direct);
        var port = address.Equals(direct) ? connection.RemotePort : 0;
        return new(address, port, IsHttps(context.Request), Trusted: true);
    }

    private static bool IsHttps(HttpRequest request)
    {
        var forwarded = request.Headers["X-Forwarded-Proto"];
        if (forwarded.Count == 0) return request.IsHttps;

        var last = forwarded[^1].AsSpan();
        return last[(last.LastIndexOf(',') + 1)..].Trim().Equals("https", StringComparison.OrdinalIgnoreCase);
    }

    private IPAddress FirstUntrusted(StringValues headers, IPAddress direct)
    {
        var found = direct;
        for (var i = headers.Count - 1; i >= 0; i--)
        {
            var rest = headers[i].AsSpan();
            while (rest.Length > 0)
            {
                var comma = rest.LastIndexOf(',');
                if (!TryParse(rest[(comma + 1)..].Trim(), out var address)) return found;

                found = address;
                if (!Trusts(address)) return found;

                rest = comma < 0 ? default : rest[..comma];
            }
        }

        return found;
    }

    /// <summary>An address, with or without a port; of IPv4 all four numbers, where the base library would take 1 for 0.0.0.1.</summary>
    private static bool TryParse(ReadOnlySpan<char> text, out IPAddress address)
    {
        address = IPAddress.None;
        if (!IPAddress.TryParse(text, out var parsed))
        {
            if (!IPEndPoint.TryParse(text, out var endPoint)) return false;
            parsed = endPoint.Address;
        }

        address = parsed;
        return address.AddressFamily != AddressFamily.InterNetwork || text.Count('.') == 3;
    }

    private bool Trusts(IPAddress address)
    {
        foreach (var network in networks)
        {
            if (network.Contains(address)) return true;
        }

        return false;
    }
}
