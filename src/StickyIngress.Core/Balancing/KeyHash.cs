using System.Buffers;
using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace StickyIngress.Core.Balancing;

/// <summary>CRC-32 of a key, as zlib computes it, over its bytes: one character each.</summary>
internal static class KeyHash
{
    private const int OnStack = 512;
    private const int LongestRound = 11;

    /// <summary>The hash of the key, after the decimal text of the round where that is above 0.</summary>
    public static uint Of(string key, int round)
    {
        var length = key.Length + LongestRound;
        var rented = length > OnStack ? ArrayPool<byte>.Shared.Rent(length) : null;
        var bytes = rented ?? stackalloc byte[OnStack];
        var used = 0;
        if (round > 0) round.TryFormat(bytes, out used, provider: CultureInfo.InvariantCulture);
        used += Encoding.Latin1.GetBytes(key, bytes[used..]);
        var hash = Crc32.HashToUInt32(bytes[..used]);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return hash;
    }
}
