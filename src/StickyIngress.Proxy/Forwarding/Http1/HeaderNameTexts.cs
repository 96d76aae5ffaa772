using System.Collections.Frozen;
using System.Text;
using Microsoft.Net.Http.Headers;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>Names that responses usually have, so that they need not be made anew for each.</summary>
internal static class HeaderNameTexts
{
    private const int Longest = 32;

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Known = Spellings(
    [
        HeaderNames.AcceptRanges, HeaderNames.AccessControlAllowCredentials, HeaderNames.AccessControlAllowHeaders,
        HeaderNames.AccessControlAllowMethods, HeaderNames.AccessControlAllowOrigin, HeaderNames.Age, HeaderNames.AltSvc, HeaderNames.CacheControl,
        HeaderNames.Connection, HeaderNames.ContentDisposition, HeaderNames.ContentEncoding, HeaderNames.ContentLanguage, HeaderNames.ContentLength,
        HeaderNames.ContentRange, HeaderNames.ContentSecurityPolicy, HeaderNames.ContentType, HeaderNames.Date, HeaderNames.ETag, HeaderNames.Expires,
        HeaderNames.KeepAlive, HeaderNames.LastModified, HeaderNames.Link, HeaderNames.Location, HeaderNames.Pragma, HeaderNames.Server,
        HeaderNames.SetCookie, HeaderNames.StrictTransportSecurity, HeaderNames.TransferEncoding, HeaderNames.Upgrade, HeaderNames.Vary,
        HeaderNames.Via, HeaderNames.WWWAuthenticate, HeaderNames.XContentTypeOptions, HeaderNames.XFrameOptions, HeaderNames.XPoweredBy,
        HeaderNames.XRequestedWith, "Referrer-Policy", "X-Request-Id",
    ]);

    public static string Of(ReadOnlySpan<byte> name)
    {
        if (name.Length > Longest) return Encoding.Latin1.GetString(name);

        Span<char> text = stackalloc char[Longest];
        text = text[..Encoding.Latin1.GetChars(name, text)];
        return Known.TryGetValue(text, out var known) ? known : text.ToString();
    }

    /// <summary>As written in the standards, and in the lower case that newer servers write.</summary>
    private static FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Spellings(string[] names) =>
        names.Concat(names.Select(name => name.ToLowerInvariant())).ToFrozenSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
}
