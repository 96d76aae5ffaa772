using System.Text;

namespace StickyIngress.Proxy.Variables;

/// <summary>
/// Header text is kept as bytes, one character each (Latin-1), so that it leaves as it came. Text that the server has decoded is
/// brought to the same form here.
/// </summary>
internal static class ByteText
{
    public static string? FromText(string? text) =>
        text is null || Ascii.IsValid(text) ? text : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));
}
