using System.Net;
using System.Net.Sockets;

namespace StickyIngress.Testing;

/// <summary>Ports on which nobody listens.</summary>
public static class FreePort
{
    /// <summary>Below the ports that the system gives to those who ask for any, so that nobody gets one by chance before it is used.</summary>
    private const int First = 22_000;
    private const int Last = 29_999;

    private static int _last = Random.Shared.Next(First, Last);

    /// <summary>A port that was free a moment ago, and that is not given again soon: connecting to it is refused.</summary>
    public static int Next()
    {
        while (true)
        {
            var port = First + ((Interlocked.Increment(ref _last) - First) % (Last + 1 - First));
            if (IsFree(port)) return port;
        }
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
