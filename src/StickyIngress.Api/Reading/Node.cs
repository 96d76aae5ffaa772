using System.Globalization;
using System.Numerics;

namespace StickyIngress.Api.Reading;

/// <summary>
/// YAML or JSON before it has a meaning. A map's children are keys and values in turn. What a scalar is gets decided
/// when it is used, by the rules of YAML 1.1 as kubectl applies them; keys are always text.
/// </summary>
internal sealed class Node
{
    public Node(NodeKind kind, string text, bool plain, Node[] children, int line, int column) => Become(kind, text, plain, children, line, column);

    public NodeKind Kind { get; private set; }

    public string Text { get; private set; } = "";

    /// <summary>A scalar without quotes; in JSON a number, a literal or null.</summary>
    public bool Plain { get; private set; }

    public Node[] Children { get; private set; } = [];

    public int Line { get; private set; }

    public int Column { get; private set; }

    public bool IsNull => Kind == NodeKind.Scalar && Plain && Scalars.IsNull(Text);

    public Node? Get(string key)
    {
        if (Kind != NodeKind.Map) return null;

        for (var i = 0; i < Children.Length; i += 2)
        {
            if (Children[i].Text == key) return Children[i + 1].IsNull ? null : Children[i + 1];
        }

        return null;
    }

    /// <summary>Makes another node of it, for a reader that uses its nodes again.</summary>
    public void Become(NodeKind kind, string text, bool plain, Node[] children, int line, int column) =>
        (Kind, Text, Plain, Children, Line, Column) = (kind, text, plain, children, line, column);

    public ScalarKind Resolve() => Plain ? Scalars.Resolve(Text) : ScalarKind.Text;
}

internal enum NodeKind : byte
{
    Scalar,
    List,
    Map,
}

internal enum ScalarKind : byte
{
    Null,
    Bool,
    Integer,
    Float,
    Text,
}

/// <summary>YAML 1.1's reading of plain scalars, as go-yaml (and so kubectl) does it.</summary>
internal static class Scalars
{
    /// <summary>So many digits always fit into a long.</summary>
    private const int DigitsOfLong = 18;

    public static bool IsNull(string text) => text is "" or "~" or "null" or "Null" or "NULL";

    public static bool IsTrue(string text) =>
        text is "y" or "Y" or "yes" or "Yes" or "YES" or "true" or "True" or "TRUE" or "on" or "On" or "ON";

    public static bool IsFalse(string text) =>
        text is "n" or "N" or "no" or "No" or "NO" or "false" or "False" or "FALSE" or "off" or "Off" or "OFF";

    public static ScalarKind Resolve(string text)
    {
        if (IsNull(text)) return ScalarKind.Null;

        var first = text[0];
        if (char.IsAsciiDigit(first) || first is '+' or '-' or '.') return ResolveNumber(text);
        if (text.Length > 5 || !char.IsAsciiLetter(first)) return ScalarKind.Text;
        return IsTrue(text) || IsFalse(text) ? ScalarKind.Bool : ScalarKind.Text;
    }

    /// <summary>Decimal, <c>0x</c>, <c>0o</c>, <c>0b</c>, and a leading zero for octal, as go-yaml; digits may be grouped by <c>_</c>.</summary>
    public static bool TryInteger(string text, out BigInteger value)
    {
        value = default;
        var digits = text.AsSpan().TrimStart("+-");
        if (text.Length - digits.Length > 1 || digits.IsEmpty || !char.IsAsciiDigit(digits[0])) return false;

        if (!TryMagnitude(digits.Contains('_') ? digits.ToString().Replace("_", "", StringComparison.Ordinal) : digits, out value)) return false;
        if (text[0] == '-') value = -value;
        return true;
    }

    private static bool TryMagnitude(ReadOnlySpan<char> digits, out BigInteger value)
    {
        value = default;
        if (digits.Length == 1 || digits[0] != '0') return TryDecimal(digits, out value);

        var (radix, skip) = (digits[1] | 0x20) switch { 'x' => (16, 2), 'o' => (8, 2), 'b' => (2, 2), _ => (8, 1) };
        if (digits.Length == skip) return false;
        foreach (var c in digits[skip..])
        {
            var digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : radix;
            if (digit >= radix) return false;
            value = value * radix + digit;
        }

        return true;
    }

    private static bool TryDecimal(ReadOnlySpan<char> digits, out BigInteger value)
    {
        value = default;
        var small = 0L;
        foreach (var c in digits)
        {
            if (!char.IsAsciiDigit(c)) return false;
            if (digits.Length <= DigitsOfLong) small = (small * 10) + (c - '0');
        }

        if (digits.Length > DigitsOfLong) return BigInteger.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);

        value = small;
        return true;
    }

    private static ScalarKind ResolveNumber(string text)
    {
        if (text.Length > 400) return ScalarKind.Text;
        if (TryInteger(text, out _)) return ScalarKind.Integer;
        var unsigned = text.AsSpan().TrimStart("+-");
        if (unsigned.Equals(".inf", StringComparison.OrdinalIgnoreCase) || unsigned.Equals(".nan", StringComparison.OrdinalIgnoreCase)) return ScalarKind.Float;

        var number = text.Replace("_", "", StringComparison.Ordinal);
        return double.TryParse(number, NumberStyles.Float & ~NumberStyles.AllowLeadingWhite & ~NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out _)
            ? ScalarKind.Float
            : ScalarKind.Text;
    }
}
