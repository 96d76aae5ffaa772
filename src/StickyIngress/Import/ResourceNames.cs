using System.Text;

namespace StickyIngress.Import;

/// <summary>Names as Kubernetes allows them, made from nginx's; of names that come out equal the later get a number.</summary>
internal sealed class ResourceNames
{
    private const int Longest = 63;

    private readonly HashSet<string> _taken = [];

    public string Add(string text)
    {
        var name = From(text);
        for (var number = 2; !_taken.Add(name); number++) name = $"{From(text, Longest - 5)}-{number}";
        return name;
    }

    /// <summary>Lower-case letters, digits and single dashes.</summary>
    public static string From(string text, int longest = Longest)
    {
        var name = new StringBuilder();
        foreach (var c in text.ToLowerInvariant())
        {
            if (char.IsAsciiLetterOrDigit(c)) name.Append(c);
            else if (name.Length > 0 && name[^1] != '-') name.Append('-');
        }

        var cut = name.ToString(0, Math.Min(name.Length, longest)).TrimEnd('-');
        return cut.Length > 0 ? cut : "unnamed";
    }
}
