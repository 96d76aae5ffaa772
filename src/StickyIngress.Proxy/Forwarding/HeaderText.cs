using System.Buffers;

namespace StickyIngress.Proxy.Forwarding;

/// <summary>Keeps a variable's value from ending the header that it stands in.</summary>
internal static class HeaderText
{
    private static readonly SearchValues<char> Forbidden = SearchValues.Create(
        [.. Enumerable.Range(0, 32).Where(code => code != '\t').Select(code => (char)code), '\u007f',
            .. Enumerable.Range(0x100, 0xff00).Select(code => (char)code)]);

    /// <summary>The same text without characters that no header may hold, each replaced by a space.</summary>
    public static string Safe(string value)
    {
        if (!value.AsSpan().ContainsAnyExceptInRange(' ', '~') || value.AsSpan().IndexOfAny(Forbidden) < 0) return value;

        return string.Create(value.Length, value, static (span, text) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = Forbidden.Contains(text[i]) ? ' ' : text[i];
        });
    }
}
