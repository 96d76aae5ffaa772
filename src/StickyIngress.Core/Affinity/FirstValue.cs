using System.Collections.Immutable;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Affinity;

/// <summary>nginx's rule for several variables: the first that is not empty counts.</summary>
internal static class FirstValue
{
    /// <summary>False where all are empty. A cookie is read where it stands, without a string.</summary>
    public static bool TryRead(ImmutableArray<Template> from, RequestValues values, out ReadOnlySpan<char> value)
    {
        foreach (var template in from)
        {
            if (template.SingleVariable is { Kind: VariableKind.CookieNamed } cookie)
                values.TryGetCookie(cookie.Name, out value);
            else
                value = template.Evaluate(values);

            if (!value.IsEmpty) return true;
        }

        value = default;
        return false;
    }
}
