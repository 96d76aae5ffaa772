using System.Buffers;
using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Proxy.Forwarding;

/// <summary>Which headers end at a proxy (RFC 9110, section 7.6.1), and which of its own it sets. Shared by all forwarders.</summary>
internal static class HeaderRules
{
    private static readonly FrozenSet<string> HopByHop = new[]
    {
        HeaderNames.Connection, HeaderNames.KeepAlive, HeaderNames.ProxyConnection, HeaderNames.TE, HeaderNames.Trailer,
        HeaderNames.TransferEncoding, HeaderNames.Upgrade, HeaderNames.ProxyAuthenticate, HeaderNames.ProxyAuthorization,
        "HTTP2-Settings",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Those, and what is set by us or of meaning only to us.</summary>
    private static readonly FrozenSet<string> KeptFromPeer = HopByHop.Union(
    [
        HeaderNames.Host, HeaderNames.Expect, ForwardedHeaders.For, ForwardedHeaders.Proto, ForwardedHeaders.Host, ForwardedHeaders.RealIp,
    ]).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>What a message is delimited, routed or admitted by, which a trailer comes too late for (RFC 9110, section 6.5.1).</summary>
    private static readonly FrozenSet<string> NotInTrailer = KeptFromPeer.Union(
    [
        HeaderNames.ContentLength, HeaderNames.ContentType, HeaderNames.ContentEncoding, HeaderNames.ContentRange, HeaderNames.Authorization,
        HeaderNames.WWWAuthenticate, HeaderNames.Cookie, HeaderNames.SetCookie, HeaderNames.CacheControl, HeaderNames.MaxForwards,
    ]).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>What a name may hold (RFC 9110, section 5.1), without the character that calls for a second look.</summary>
    private const string NameText = "!#$%&'*+-.^`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly SearchValues<char> PlainName = SearchValues.Create(NameText);
    private static readonly SearchValues<char> NameWithUnderscore = SearchValues.Create(NameText + '_');

    public static bool IsPassedToPeer(string name, IHeaderDictionary headers, ProxySettings settings) =>
        !KeptFromPeer.Contains(name) && IsWhatItSays(name, settings) && !IsNamedBy(headers.Connection, name);

    /// <summary>What becomes of a request's header by its name alone, unless the request's Connection header names it.</summary>
    public static NameUse UseOf(string name) =>
        KeptFromPeer.Contains(name) || name.Equals(HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase) ? NameUse.Withheld
        : name.AsSpan().ContainsAnyExcept(PlainName) ? NameUse.Doubtful
        : NameUse.Passed;

    public static bool IsPassedToClient(string name) => !HopByHop.Contains(name);

    public static bool IsPassedInTrailer(string name) => !NotInTrailer.Contains(name);

    /// <summary>Those of the names in a Trailer header that are passed; null: none.</summary>
    public static string? PassedTrailers(string? announced)
    {
        if (announced is null) return null;

        var names = announced.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(name => IsPassedInTrailer(name) && !name.AsSpan().ContainsAnyExcept(NameWithUnderscore));
        return string.Join(", ", names) is { Length: > 0 } passed ? passed : null;
    }

    /// <summary>
    /// Not a name that peers could read as another one: some drop a control character, and CGI and its heirs take '_' for '-', so that
    /// X_Forwarded_For would speak for us. nginx passes neither bad names nor any with '_'.
    /// </summary>
    public static bool IsWhatItSays(string name, ProxySettings settings)
    {
        var odd = name.AsSpan().IndexOfAnyExcept(PlainName);
        if (odd < 0) return true;
        if (name[odd] != '_' || name.AsSpan(odd).IndexOfAnyExcept(NameWithUnderscore) >= 0) return false;

        return !SpeaksForUs(name.Replace('_', '-'), settings);
    }

    private static bool SpeaksForUs(string read, ProxySettings settings) =>
        NotInTrailer.Contains(read) || settings.SetHeaders.Any(header => header.Name.Equals(read, StringComparison.OrdinalIgnoreCase));

    /// <summary>The message's own Connection header says that it is for one hop.</summary>
    private static bool IsNamedBy(StringValues connection, string name)
    {
        foreach (var value in connection)
        {
            if (value is null or "keep-alive" or "close") continue;

            foreach (var range in value.AsSpan().Split(','))
            {
                if (value.AsSpan()[range].Trim().Equals(name, StringComparison.OrdinalIgnoreCase)) return true;
            }
        }

        return false;
    }
}

/// <summary>What becomes of a request's header on its way to the peer.</summary>
internal enum NameUse : byte
{
    Passed,

    /// <summary>It ends here, or is written by us.</summary>
    Withheld,

    /// <summary>The route's settings are to be asked, see <see cref="HeaderRules.IsWhatItSays"/>.</summary>
    Doubtful,
}
