using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress;

/// <summary>Where Kestrel listens: <c>[::]</c> is both families, and on a machine without IPv6 it is IPv4 alone.</summary>
internal static class Listening
{
    public static void ListenOn(this KestrelServerOptions kestrel, IPEndPoint endPoint, HttpProtocols protocols = HttpProtocols.Http1)
    {
        if (endPoint is not LoopEndPoint && endPoint.Address.Equals(IPAddress.IPv6Any)) kestrel.ListenAnyIP(endPoint.Port, Configure);
        else kestrel.Listen(endPoint, Configure);

        void Configure(ListenOptions listen) => listen.Protocols = protocols;
    }

    /// <summary>The same as a URL of Kestrel's configuration.</summary>
    public static string HttpsUrl(IPEndPoint endPoint) =>
        endPoint.Address.Equals(IPAddress.IPv6Any) ? $"https://*:{endPoint.Port}" : $"https://{endPoint}";
}
