namespace StickyIngress.Api;

/// <summary>Sizes as nginx writes them: bytes, or with <c>k</c> or <c>m</c>; <c>g</c> is ours, since nginx knows it for offsets only.</summary>
public static class NginxSize
{
    /// <summary>What may be written, in words.</summary>
    public const string Allowed = "a size such as 0, 64k, 1m or 1g";

    /// <summary>The form of a size (RE2).</summary>
    public const string Pattern = "^[0-9]+[kKmMgG]?$";

    public static bool TryParse(ReadOnlySpan<char> text, out long bytes)
    {
        bytes = 0;
        if (text.IsEmpty) return false;

        var shift = text[^1] switch { 'k' or 'K' => 10, 'm' or 'M' => 20, 'g' or 'G' => 30, _ => 0 };
        var digits = shift == 0 ? text : text[..^1];
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange('0', '9')) return false;
        if (!long.TryParse(digits, out var value) || value > long.MaxValue >> shift) return false;

        bytes = value << shift;
        return true;
    }

    /// <summary>The shortest exact form.</summary>
    public static string Format(long bytes)
    {
        if (bytes == 0) return "0";

        foreach (var (unit, shift) in (ReadOnlySpan<(char, int)>)[('g', 30), ('m', 20), ('k', 10)])
        {
            if ((bytes & ((1L << shift) - 1)) == 0) return $"{bytes >> shift}{unit}";
        }

        return bytes.ToString();
    }
}
