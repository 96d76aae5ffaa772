using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
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

    /// <summary>The address with the port that was taken, where any was asked for; plain HTTP/1.1 is what a server listens for first.</summary>
    public static IPEndPoint Taken(this IServer server, IPEndPoint asked)
    {
        if (asked.Port != 0) return asked;

        var addresses = server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses;
        var plain = addresses.First(address => address.StartsWith("http://", StringComparison.Ordinal));
        return new(asked.Address, BindingAddress.Parse(plain).Port);
    }

    /// <summary>The same as a URL of Kestrel's configuration.</summary>
    public static string HttpsUrl(IPEndPoint endPoint) =>
        endPoint.Address.Equals(IPAddress.IPv6Any) ? $"https://*:{endPoint.Port}" : $"https://{endPoint}";
}
