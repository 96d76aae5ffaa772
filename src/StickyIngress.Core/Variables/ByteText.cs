using System.Text;

namespace StickyIngress.Core.Variables;

/// <summary>
/// Text of requests, responses and templates is kept as bytes, one character each (Latin-1), so that it leaves as it came. Text from elsewhere
/// (what the server has decoded, what a manifest holds) is brought to that form here, as UTF-8.
/// </summary>
public static class ByteText
{
    public static string From(string text) => Ascii.IsValid(text) ? text : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));
}
