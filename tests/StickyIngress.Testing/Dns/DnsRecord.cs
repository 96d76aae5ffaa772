using System.Net;
using System.Net.Sockets;

namespace StickyIngress.Testing.Dns;

/// <summary>One resource record.</summary>
/// <param name="Owner">The name that it is of.</param>
/// <param name="TimeToLive">Seconds.</param>
public sealed record DnsRecord(string Owner, int Type, int TimeToLive, byte[] Data)
{
    public const int A = 1;
    public const int CName = 5;
    public const int Aaaa = 28;
    public const int Srv = 33;

    public static DnsRecord Address(string owner, string address, int ttl)
    {
        var ip = IPAddress.Parse(address);
        return new(owner, ip.AddressFamily == AddressFamily.InterNetworkV6 ? Aaaa : A, ttl, ip.GetAddressBytes());
    }

    public static DnsRecord Alias(string owner, string target, int ttl) => new(owner, CName, ttl, DnsMessage.Encode(target));

    public static DnsRecord Service(string owner, int priority, int weight, int port, string target, int ttl) => new(
        owner, Srv, ttl,
        [(byte)(priority >> 8), (byte)priority, (byte)(weight >> 8), (byte)weight, (byte)(port >> 8), (byte)port, .. DnsMessage.Encode(target)]);
}
