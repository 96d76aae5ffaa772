using System.Text.RegularExpressions;

namespace StickyIngress.Import;

/// <summary>The files that an <c>include</c> names: one, or by a pattern with <c>* ? [ ]</c> any number, in the order of their names.</summary>
internal static class IncludedFiles
{
    private const string Special = "*?[";

    private static readonly EnumerationOptions All = new() { IgnoreInaccessible = true, AttributesToSkip = FileAttributes.None };

    /// <summary>A name without a pattern is returned whether the file exists or not.</summary>
    /// <param name="folder">What the name is relative to: the folder of the main file.</param>
    public static IReadOnlyList<string> Find(string folder, string name)
    {
        var path = Path.GetFullPath(Path.Combine(folder, name));
        if (path.AsSpan().IndexOfAny(Special) < 0) return [path];

        IEnumerable<string> found = ["/"];
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries)) found = found.SelectMany(parent => Inside(parent, part)).ToArray();
        return [.. found.Where(File.Exists).Order(StringComparer.Ordinal)];
    }

    private static IEnumerable<string> Inside(string parent, string part)
    {
        if (part.AsSpan().IndexOfAny(Special) < 0) return [Path.Combine(parent, part)];
        if (!Directory.Exists(parent)) return [];

        var pattern = Pattern(part);
        return Directory.EnumerateFileSystemEntries(parent, "*", All).Where(entry => pattern.IsMatch(Path.GetFileName(entry)));
    }

    /// <summary>As a shell reads it; a name that begins with a dot is found only by a pattern that does.</summary>
    private static Regex Pattern(string part)
    {
        var text = Regex.Escape(part).Replace("\\*", ".*", StringComparison.Ordinal).Replace("\\?", ".", StringComparison.Ordinal);
        text = Regex.Replace(text, @"\\\[(?<not>!|\\\^)?(?<set>[^\]]+)\]", set => $"[{(set.Groups["not"].Success ? "^" : "")}{set.Groups["set"].Value}]", RegexOptions.ExplicitCapture, Regex.InfiniteMatchTimeout);
        return new($"^{(part.StartsWith('.') ? "" : "(?!\\.)")}(?:{text})\\z", RegexOptions.Singleline, Regex.InfiniteMatchTimeout);
    }
}
