using System.Globalization;
using Microsoft.Net.Http.Headers;

namespace StickyIngress.Proxy.Caching;

/// <summary>How long a response may be kept, by its own headers as nginx reads them, else by the route's setting.</summary>
internal static class Freshness
{
    /// <summary>Whole seconds; null: it must not be kept.</summary>
    public static long? Of(int status, Func<string, string?> header, bool setsCookie, TimeSpan valid, long now)
    {
        if (setsCookie || header(HeaderNames.Vary) is { } vary && vary.Contains('*')) return null;
        if (header("X-Accel-Expires") is { } accel) return Positive(OfAccel(accel, now));

        if (CacheControlHeaderValue.TryParse(header(HeaderNames.CacheControl), out var control))
        {
            if (control.NoStore || control.Private || control.NoCache) return null;
            if ((control.SharedMaxAge ?? control.MaxAge) is { } age) return MayKeep(status) ? Positive((long)age.TotalSeconds) : null;
        }

        if (header(HeaderNames.Expires) is { } expires)
        {
            return MayKeep(status) && DateTimeOffset.TryParse(expires, CultureInfo.InvariantCulture, out var at)
                ? Positive(at.ToUnixTimeSeconds() - now)
                : null;
        }

        return status is 200 or 301 or 302 ? Positive((long)valid.TotalSeconds) : null;
    }

    private static long? OfAccel(string value, long now)
    {
        var at = value.StartsWith('@');
        if (!long.TryParse(at ? value[1..] : value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return null;

        return at ? seconds - now : seconds;
    }

    private static long? Positive(long? seconds) => seconds > 0 ? seconds : null;

    /// <summary>Statuses whose response stands for itself.</summary>
    private static bool MayKeep(int status) => status is 200 or 203 or 204 or 300 or 301 or 302 or 307 or 308 or 404 or 410;
}
