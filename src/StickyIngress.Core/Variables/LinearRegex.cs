using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace StickyIngress.Core.Variables;

/// <summary>
/// The only patterns that requests are matched with: their time grows with the text's length and no faster, whoever
/// wrote the text.
/// </summary>
public static class LinearRegex
{
    /// <summary>
    /// Compiles a pattern; false with a message for the person who wrote it: a mistake, a look-around, a
    /// back-reference.
    /// </summary>
    public static bool TryCompile(string pattern, [NotNullWhen(true)] out Regex? regex, [NotNullWhen(false)] out string? error)
    {
        (regex, error) = (null, null);
        try
        {
            regex = new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, Regex.InfiniteMatchTimeout);
            return true;
        }
        catch (RegexParseException e)
        {
            error = $"\"{pattern}\" is not a pattern: {e.Message}";
        }
        catch (NotSupportedException)
        {
            error = $"\"{pattern}\" has a look-around, a back-reference or another part that takes more than one pass, or is too large";
        }

        return false;
    }
}
