using System.Net;
using System.Net.Sockets;

namespace StickyIngress.Testing;

/// <summary>Ports on which nobody listens.</summary>
public static class FreePort
{
    /// <summary>A port that was free a moment ago: connecting to it is refused.</summary>
    public static int Next()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
