using System.Globalization;
using System.Runtime.CompilerServices;

namespace StickyIngress.Core.Affinity;

/// <summary>Writes Set-Cookie values, the attributes in nginx's order.</summary>
internal sealed class CookieWriter(CookieSettings settings)
{
    private const long LastSecond = 253_402_300_799; // of the year 9999
    private const string End2037 = "; expires=Thu, 31-Dec-37 23:55:55 GMT; max-age=315360000";
    private const string Past = "; expires=Thu, 01-Jan-70 00:00:01 GMT; max-age=0";

    /// <summary>
    /// The text depends on the cookie's value and on whether the client's connection is https, and on nothing else.
    /// </summary>
    public bool IsConstant { get; } =
        settings.Domain.IsLiteral && settings.SameSite.IsLiteral
        && (settings.Expires is null || settings.Expires == CookieSettings.Max);

    public bool IsSecure(RequestValues request) =>
        settings.Secure == SecureFlag.Always || (settings.Secure == SecureFlag.Auto && request.IsHttps);

    /// <param name="now">Unix seconds.</param>
    public string Write(ReadOnlySpan<char> value, RequestValues request, long now)
    {
        var text = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[256]);
        text.AppendLiteral(settings.Name);
        text.AppendLiteral("=");
        text.AppendFormatted(value);
        if (settings.Expires is { } expires) WriteExpiry(ref text, expires, now);
        WriteAttributes(ref text, request);
        return text.ToStringAndClear();
    }

    /// <summary>The cookie that makes the client forget the one it has.</summary>
    public string WriteRemoval(RequestValues request)
    {
        var text = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[256]);
        text.AppendLiteral(settings.Name);
        text.AppendLiteral("=");
        text.AppendLiteral(Past);
        WriteAttributes(ref text, request);
        return text.ToStringAndClear();
    }

    private static void WriteExpiry(ref DefaultInterpolatedStringHandler text, TimeSpan expires, long now)
    {
        if (expires == CookieSettings.Max)
        {
            text.AppendLiteral(End2037);
            return;
        }

        var seconds = expires.Ticks / TimeSpan.TicksPerSecond;
        var until = DateTimeOffset.FromUnixTimeSeconds(Math.Min(LastSecond, now + seconds));
        text.AppendLiteral("; expires=");
        text.AppendFormatted(until, until.Year > 2037 ? "ddd, dd-MMM-yyyy HH:mm:ss 'GMT'" : "ddd, dd-MMM-yy HH:mm:ss 'GMT'");
        text.AppendLiteral("; max-age=");
        text.AppendFormatted(seconds);
    }

    private void WriteAttributes(ref DefaultInterpolatedStringHandler text, RequestValues request)
    {
        var domain = settings.Domain.Evaluate(request);
        if (domain.Length > 0 && CookieSettings.IsAttributeValue(domain))
        {
            text.AppendLiteral("; domain=");
            text.AppendLiteral(domain);
        }

        if (settings.HttpOnly) text.AppendLiteral("; httponly");
        if (IsSecure(request)) text.AppendLiteral("; secure");

        var sameSite = settings.SameSite.Evaluate(request);
        if (sameSite.Length > 0)
        {
            text.AppendLiteral("; samesite=");
            text.AppendLiteral(IsSameSite(sameSite) ? sameSite : "strict");
        }

        if (settings.Path is not null)
        {
            text.AppendLiteral("; path=");
            text.AppendLiteral(settings.Path);
        }

        if (settings.Partitioned) text.AppendLiteral("; partitioned");
    }

    private static bool IsSameSite(string text) =>
        text.Equals("strict", StringComparison.OrdinalIgnoreCase)
        || text.Equals("lax", StringComparison.OrdinalIgnoreCase)
        || text.Equals("none", StringComparison.OrdinalIgnoreCase);
}
