using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace StickyIngress.Core.Upstreams;

/// <summary>What peers are called: the printable address, and nginx's identity made from it.</summary>
public static class PeerNames
{
    /// <summary>
    /// The address with its port as nginx prints it: <c>1.2.3.4:80</c>, <c>[::1]:80</c>, <c>unix:/path</c>.
    /// </summary>
    /// <param name="written">
    /// For a unix socket the server as it was written, which nginx keeps to the letter; null: with <c>unix:</c> in
    /// front.
    /// </param>
    public static string Format(EndPoint endPoint, string? written = null) => endPoint switch
    {
        IPEndPoint { AddressFamily: AddressFamily.InterNetwork } ip => ip.ToString(),
        IPEndPoint ip => $"{FormatAddress(ip.Address)}:{ip.Port}",
        UnixDomainSocketEndPoint => written ?? $"unix:{endPoint}",
        _ => throw new ArgumentException($"A peer cannot have the address {endPoint}.", nameof(endPoint)),
    };

    /// <summary>
    /// nginx's identity of a peer without a route: lower-case hexadecimal MD5 of its name, 32 characters.
    /// </summary>
    [SuppressMessage("Security", "CA5351", Justification = "nginx's identifiers are MD5; nothing rests on it being hard to invert")]
    public static string Sid(string name) => Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(name)));

    /// <summary>
    /// IPv4 as it is; IPv6 in brackets in the form of RFC 5952: lower case, the longest run of two or more zero groups
    /// shortened, the first of equal ones; of the addresses that embed IPv4 only the mapped ones
    /// (<c>::ffff:1.2.3.4</c>) show it so.
    /// </summary>
    internal static string FormatAddress(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork) return address.ToString();
        if (address.IsIPv4MappedToIPv6) return $"[::ffff:{address.MapToIPv4()}]";

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        Span<ushort> groups = stackalloc ushort[8];
        for (var i = 0; i < 8; i++) groups[i] = (ushort)((bytes[2 * i] << 8) | bytes[(2 * i) + 1]);

        var (start, length) = LongestZeroRun(groups);
        var text = new StringBuilder("[", 42);
        for (var i = 0; i < 8; i++)
        {
            if (i == start)
            {
                text.Append("::");
                i += length - 1;
            }
            else
            {
                if (text[^1] is not ('[' or ':')) text.Append(':');
                text.Append($"{groups[i]:x}");
            }
        }

        return text.Append(']').ToString();
    }

    /// <summary>Length 0 where no two zero groups stand together.</summary>
    private static (int Start, int Length) LongestZeroRun(ReadOnlySpan<ushort> groups)
    {
        var (start, length) = (-1, 1);
        for (var i = 0; i < groups.Length; i++)
        {
            var run = groups[i..].IndexOfAnyExcept((ushort)0) is >= 0 and var end ? end : groups.Length - i;
            if (run > length) (start, length) = (i, run);
        }

        return start < 0 ? (-1, 0) : (start, length);
    }
}
