using System.Diagnostics.CodeAnalysis;
using System.Net;
using StickyIngress.Control.Compilation;

namespace StickyIngress.Control.Resolving;

/// <summary>Addresses of DNS servers as people write them, and those that the system has.</summary>
public static class NameServerAddress
{
    internal const int DefaultPort = 53;

    private const string ResolvConf = "/etc/resolv.conf";

    /// <summary><c>ip[:port]</c> or <c>[v6][:port]</c>; port 53 by default.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out IPEndPoint? server)
    {
        server = ServerAddress.TryParse(text, out var address, out _, DefaultPort) && address.Ip is { } ip ? new(ip, address.Port) : null;
        return server is not null;
    }

    /// <summary>The name servers of /etc/resolv.conf; like the C library, the one on this machine where that says nothing.</summary>
    public static IReadOnlyList<IPEndPoint> OfSystem()
    {
        try
        {
            return OfResolvConf(File.ReadLines(ResolvConf));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return OfResolvConf([]);
        }
    }

    internal static IReadOnlyList<IPEndPoint> OfResolvConf(IEnumerable<string> lines)
    {
        var servers = new List<IPEndPoint>();
        foreach (var line in lines)
        {
            var words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words is ["nameserver", var text, ..] && IPAddress.TryParse(text, out var address)) servers.Add(new(address, DefaultPort));
        }

        return servers.Count > 0 ? servers : [new(IPAddress.Loopback, DefaultPort)];
    }
}
