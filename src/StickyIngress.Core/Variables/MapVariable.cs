using System.Text.RegularExpressions;

namespace StickyIngress.Core.Variables;

/// <summary>
/// A variable made from another, as nginx's <c>map</c>: where the pattern matches the text, it has the value; else it is empty.
/// Several definitions of one name are tried in order.
/// </summary>
public sealed record MapVariable(string Name, Template From, Regex Pattern, Template Value, MapVariable? Otherwise = null)
{
    internal string Evaluate(RequestValues values)
    {
        var match = Pattern.Match(From.Evaluate(values));
        if (match.Success) return Value.Evaluate(values, match);

        return Otherwise?.Evaluate(values) ?? "";
    }
}
