using System.Globalization;

namespace StickyIngress.Import;

/// <summary>Values as nginx's parser reads them.</summary>
internal static class NginxValues
{
    /// <summary>Decimal digits, from the least allowed to what 64 bits hold.</summary>
    public static bool TryNumber(string? text, long least, out long number)
    {
        number = 0;
        return !string.IsNullOrEmpty(text) && text.All(char.IsAsciiDigit)
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= least;
    }

    /// <summary>Sizes of memory end in k or m, offsets such as a body's size in g too.</summary>
    public static bool TrySize(string? text, bool offset, out long bytes)
    {
        bytes = 0;
        return text is not null && (offset || !text.EndsWith('g') && !text.EndsWith('G')) && Api.NginxSize.TryParse(text, out bytes);
    }

    /// <summary><c>name=value</c>; the value is null where there is no equals sign.</summary>
    public static (string Name, string? Value) Parameter(string word)
    {
        var equals = word.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? (word, null) : (word[..equals], word[(equals + 1)..]);
    }
}
