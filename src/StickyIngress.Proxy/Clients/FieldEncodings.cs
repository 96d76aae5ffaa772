using System.Text;

namespace StickyIngress.Proxy.Clients;

/// <summary>
/// How the server makes text of request headers: one character for each byte. Two headers it does not leave as they came, so they are
/// looked at before it does.
/// </summary>
internal static class FieldEncodings
{
    private static readonly Encoding Connection = new ConnectionEncoding();
    private static readonly Encoding ContentLength = new DigitsEncoding();

    public static Encoding Of(string name) => name switch
    {
        "Connection" => Connection,
        "Content-Length" => ContentLength,
        _ => Encoding.Latin1,
    };

    /// <summary>
    /// The server replaces a list in which it finds nothing but one of the words it knows (<c>close, X-Secret</c>) by that word, and so loses which
    /// headers are for one hop. It leaves a list alone in which it finds two, so <c>close</c> and <c>upgrade</c> get <c>keep-alive</c> beside them, which
    /// means nothing there, and <c>keep-alive</c>, which is what HTTP/1.1 does anyway, goes where it is not all there is.
    /// </summary>
    private sealed class ConnectionEncoding : FieldEncoding
    {
        private const string KeepAlive = "keep-alive";

        protected override string Decode(string value)
        {
            if (value.Equals(KeepAlive, StringComparison.OrdinalIgnoreCase)) return value;

            var words = value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            if (words.Any(word => word.Equals("close", StringComparison.OrdinalIgnoreCase) || word.Equals("upgrade", StringComparison.OrdinalIgnoreCase)))
                return $"{value}, {KeepAlive}";

            return string.Join(", ", words.Where(word => !word.Equals(KeepAlive, StringComparison.OrdinalIgnoreCase)));
        }
    }

    /// <summary>
    /// The server takes signs and spaces in a length, which others do not (RFC 9110, section 8.6), and has no answer to one with more characters than it
    /// has room for; this leaves it nothing to take.
    /// </summary>
    private sealed class DigitsEncoding : FieldEncoding
    {
        public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars) =>
            bytes.Length > chars.Length || bytes.ContainsAnyExceptInRange((byte)'0', (byte)'9') ? 0 : Latin1.GetChars(bytes, chars);

        protected override string Decode(string value) => value.AsSpan().ContainsAnyExceptInRange('0', '9') ? "" : value;
    }

    /// <summary>Makes text of a whole value at once.</summary>
    private abstract class FieldEncoding : Encoding
    {
        public override int GetCharCount(byte[] bytes, int index, int count) => Decode(Latin1.GetString(bytes, index, count)).Length;

        public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
        {
            var text = Decode(Latin1.GetString(bytes, byteIndex, byteCount));
            text.CopyTo(chars.AsSpan(charIndex));
            return text.Length;
        }

        public override int GetByteCount(char[] chars, int index, int count) => Latin1.GetByteCount(chars, index, count);

        public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
            Latin1.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

        public override int GetMaxByteCount(int charCount) => charCount;

        public override int GetMaxCharCount(int byteCount) => byteCount + ", keep-alive".Length;

        protected abstract string Decode(string value);
    }
}
