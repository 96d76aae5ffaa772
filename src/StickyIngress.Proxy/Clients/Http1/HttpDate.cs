using System.Text;

namespace StickyIngress.Proxy.Clients.Http1;

/// <summary>The Date header of a response whose sender gave none (RFC 9110, section 6.6.1), made once a second.</summary>
internal static class HttpDate
{
    private static volatile Known _known = new(0, []);

    /// <param name="seconds">Unix time.</param>
    public static ReadOnlySpan<byte> Line(long seconds)
    {
        var known = _known;
        if (known.Seconds != seconds)
            _known = known = new(seconds, Encoding.ASCII.GetBytes($"Date: {DateTimeOffset.FromUnixTimeSeconds(seconds):r}\r\n"));

        return known.Text;
    }

    private sealed record Known(long Seconds, byte[] Text);
}
