using System.Net;
using System.Net.Sockets;

namespace StickyIngress.Testing;

/// <summary>
/// Ports on which nobody listens. They come from below those that the system gives to connections, and each is handed out once, so that what
/// runs at the same time does not take one between being named and being used; the recordings' own are from 20902 to 21010.
/// </summary>
public static class FreePort
{
    private const int First = 22_000;
    private const int Count = 10_000;

    /// <summary>Processes of tests that run at once begin apart.</summary>
    private static int _handedOut = Environment.ProcessId * 97 % Count;

    /// <summary>A port that was free a moment ago: connecting to it is refused.</summary>
    public static int Next()
    {
        while (true)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref _handedOut) % Count);
            if (IsFree(port)) return port;
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
