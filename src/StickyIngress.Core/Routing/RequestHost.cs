using System.Buffers;
using System.Net;
using System.Net.Sockets;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Routing;

/// <summary>The host of a request in the one form that routes are compared with.</summary>
public static class RequestHost
{
    /// <summary>Characters of a normalised host at most; a longer one is refused.</summary>
    public const int MaxLength = 255;

    // RFC 3986 reg-name without percent-encoding, which no client uses in a Host header.
    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=");

    private static readonly SearchValues<char> AddressCharacters = SearchValues.Create("0123456789abcdefABCDEF:.");

    /// <summary>
    /// Writes the host in lower case without port and without one trailing dot; an IPv6 address in its shortest form,
    /// in brackets. An empty header is an empty host (HTTP/1.0). False where it has characters, a port or a length that
    /// no host has: that is a 400.
    /// </summary>
    /// <param name="header">The Host header, or the authority of an absolute target or of HTTP/2.</param>
    /// <param name="buffer">Room for <see cref="MaxLength"/> characters.</param>
    public static bool TryNormalize(ReadOnlySpan<char> header, Span<char> buffer, out int length)
    {
        length = 0;
        if (header.IsEmpty) return true;
        if (header[0] == '[') return TryNormalizeAddress(header, buffer, out length);

        var colon = header.IndexOf(':');
        var name = colon < 0 ? header : header[..colon];
        if (colon >= 0 && !IsPort(header[(colon + 1)..])) return false;

        if (name is [.., '.']) name = name[..^1];
        if (name.IsEmpty || name.Length > MaxLength || name[0] == '.' || name[^1] == '.') return false;
        if (name.ContainsAnyExcept(NameCharacters) || name.IndexOf("..") >= 0) return false;

        length = name.ToLowerInvariant(buffer);
        return true;
    }

    private static bool TryNormalizeAddress(ReadOnlySpan<char> header, Span<char> buffer, out int length)
    {
        length = 0;
        var end = header.IndexOf(']');
        if (end < 0) return false;

        var rest = header[(end + 1)..];
        if (!rest.IsEmpty && (rest[0] != ':' || !IsPort(rest[1..]))) return false;

        var text = header[1..end];
        if (text.ContainsAnyExcept(AddressCharacters)) return false;
        if (!IPAddress.TryParse(text, out var address)) return false;
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return false;

        var name = PeerNames.FormatAddress(address);
        name.CopyTo(buffer);
        length = name.Length;
        return true;
    }

    // "host:" is allowed by RFC 3986 and means the default port.
    private static bool IsPort(ReadOnlySpan<char> text) =>
        text.IsEmpty || (text.Length <= 5 && !text.ContainsAnyExceptInRange('0', '9') && int.Parse(text) is > 0 and <= 65535);
}
