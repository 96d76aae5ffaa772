using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace StickyIngress.Control.Compilation;

/// <summary>A server's address as nginx reads it: <c>host[:port]</c>, <c>ip[:port]</c>, <c>[v6][:port]</c> or <c>unix:/path</c>; port 80 by default.</summary>
/// <param name="Text">As it was written.</param>
/// <param name="Host">The name to ask DNS for; null where the address is known.</param>
/// <param name="Port">0 for a unix socket.</param>
public sealed record ServerAddress(string Text, string? Host, IPAddress? Ip, string? UnixPath, int Port)
{
    private const int DefaultPort = 80;
    private const int MaxUnixPath = 107;
    private const string Unix = "unix:";

    /// <summary>What may be written, for whoever wrote something else.</summary>
    internal const string Allowed = "host[:port], ip[:port], [v6][:port] or (for a server) unix:/path, with a port from 1 to 65535, are allowed";

    private static readonly SearchValues<char> IPv6Characters = SearchValues.Create("0123456789abcdefABCDEF:.");

    /// <summary>False with nginx's own words for what is wrong.</summary>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out ServerAddress? address, [NotNullWhen(false)] out string? error, int defaultPort = DefaultPort)
    {
        (address, error) = text.StartsWith(Unix, StringComparison.OrdinalIgnoreCase) ? ParseUnix(text)
            : text.StartsWith('[') ? ParseBracketed(text, defaultPort)
            : ParseHost(text, defaultPort);
        return address is not null;
    }

    private static (ServerAddress?, string?) ParseUnix(string text)
    {
        var path = text[Unix.Length..];
        if (path.Length == 0) return (null, "no path in the unix domain socket");
        if (path[0] != '/') return (null, "relative path in the unix domain socket");
        if (System.Text.Encoding.UTF8.GetByteCount(path) > MaxUnixPath) return (null, "too long path in the unix domain socket");

        return (new(text, null, null, path, 0), null);
    }

    private static (ServerAddress?, string?) ParseBracketed(string text, int port)
    {
        var close = text.IndexOf(']', StringComparison.Ordinal);
        if (close < 0) return (null, "invalid host");

        var rest = text[(close + 1)..];
        if (rest.Length > 0 && rest[0] != ':') return (null, "invalid host");
        if (!TryParsePort(rest, ref port)) return (null, "invalid port");

        var inside = text[1..close];
        var valid = inside.AsSpan().IndexOfAnyExcept(IPv6Characters) < 0 && IPAddress.TryParse(inside, out _);
        return valid ? (new(text, null, IPAddress.Parse(inside), null, port), null) : (null, "invalid IPv6 address");
    }

    private static (ServerAddress?, string?) ParseHost(string text, int port)
    {
        if (text.AsSpan().IndexOfAny("/?") >= 0) return (null, "invalid host");

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var (host, rest) = colon < 0 ? (text, "") : (text[..colon], text[colon..]);
        if (!TryParsePort(rest, ref port)) return (null, "invalid port");
        if (host.Length == 0) return (null, "no host");
        if (!CouldBeName(host)) return (null, "invalid host");

        return TryParseIPv4(host, out var ip)
            ? (new(text, null, ip, null, port), null)
            : (new(text, host.TrimEnd('.').ToLowerInvariant(), null, null, port), null);
    }

    /// <summary>False for what no DNS server can know, so that it is not asked for again and again. Names beyond ASCII are for the resolver to judge.</summary>
    private static bool CouldBeName(string host) =>
        !host.StartsWith('-') && !host.StartsWith('.') && !host.Contains("..", StringComparison.Ordinal)
        && host.All(static c => c > '\u009f' || char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    /// <summary>Leaves the port as it is where none is written.</summary>
    private static bool TryParsePort(string rest, ref int port)
    {
        if (rest.Length == 0) return true;

        var digits = rest.AsSpan(1);
        return digits.Length > 0 && digits.IndexOfAnyExceptInRange('0', '9') < 0 && int.TryParse(digits, out port) && port is >= 1 and <= 65535;
    }

    /// <summary>Four decimal numbers; the octal, hexadecimal and shortened forms that other parsers take are names here, as in nginx.</summary>
    private static bool TryParseIPv4(string host, [NotNullWhen(true)] out IPAddress? ip)
    {
        ip = null;
        var parts = host.Split('.');
        if (parts.Length != 4) return false;

        var bytes = new byte[4];
        for (var i = 0; i < 4; i++)
        {
            if (parts[i].AsSpan().IndexOfAnyExceptInRange('0', '9') >= 0 || !byte.TryParse(parts[i], out bytes[i])) return false;
        }

        ip = new(bytes);
        return true;
    }
}
