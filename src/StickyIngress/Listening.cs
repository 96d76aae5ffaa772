using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace StickyIngress;

/// <summary>Where Kestrel listens: <c>[::]</c> is both families, and on a machine without IPv6 it is IPv4 alone.</summary>
internal static class Listening
{
    public static void ListenOn(
        this KestrelServerOptions kestrel, IPEndPoint endPoint, HttpProtocols protocols = HttpProtocols.Http1, Action<ListenOptions>? configure = null)
    {
        if (endPoint.Address.Equals(IPAddress.IPv6Any)) kestrel.ListenAnyIP(endPoint.Port, Configure);
        else kestrel.Listen(endPoint, Configure);

        void Configure(ListenOptions listen)
        {
            listen.Protocols = protocols;
            configure?.Invoke(listen);
        }
    }

    /// <summary>The same as a URL of Kestrel's configuration.</summary>
    public static string HttpsUrl(IPEndPoint endPoint) =>
        endPoint.Address.Equals(IPAddress.IPv6Any) ? $"https://*:{endPoint.Port}" : $"https://{endPoint}";
}
