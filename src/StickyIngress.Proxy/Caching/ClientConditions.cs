using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace StickyIngress.Proxy.Caching;

/// <summary>What the client has already (If-None-Match, If-Modified-Since). Taken out of the request, so that the peer sends what can be kept.</summary>
internal readonly record struct ClientConditions(string? NoneMatch, string? ModifiedSince)
{
    public static ClientConditions Take(IHeaderDictionary headers)
    {
        var taken = new ClientConditions(Text(headers, HeaderNames.IfNoneMatch), Text(headers, HeaderNames.IfModifiedSince));
        headers.Remove(HeaderNames.IfNoneMatch);
        headers.Remove(HeaderNames.IfModifiedSince);
        return taken;
    }

    /// <summary>The client has this response already.</summary>
    public bool HoldFor(KeptResponse response)
    {
        if (NoneMatch is not null)
        {
            return response.Header(HeaderNames.ETag) is { } tag
                && (NoneMatch.Trim() == "*" || NoneMatch.Split(',').Any(candidate => Opaque(candidate.Trim()) == Opaque(tag)));
        }

        return ModifiedSince is not null
            && TryReadDate(ModifiedSince, out var since)
            && TryReadDate(response.Header(HeaderNames.LastModified), out var modified)
            && modified <= since;
    }

    /// <summary>Weak comparison: W/ does not count.</summary>
    private static string Opaque(string tag) => tag.StartsWith("W/", StringComparison.Ordinal) ? tag[2..] : tag;

    private static bool TryReadDate(string? text, out DateTimeOffset date) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out date);

    private static string? Text(IHeaderDictionary headers, string name) => headers.TryGetValue(name, out var value) ? value.ToString() : null;
}
