using System.Security.Cryptography;

namespace StickyIngress.Proxy;

/// <summary>32 random hexadecimal digits, as nginx's <c>$request_id</c>.</summary>
internal static class RequestId
{
    public static string New()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
