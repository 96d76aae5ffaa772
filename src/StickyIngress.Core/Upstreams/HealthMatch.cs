using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Upstreams;

/// <summary>What a healthy answer looks like: nginx's <c>match</c>. All of its tests must hold.</summary>
/// <param name="Body">Null: the body is not looked at.</param>
public sealed record HealthMatch(StatusMatch Status, ImmutableArray<HeaderMatch> Headers, BodyMatch? Body)
{
    /// <summary>Why an answer is not a healthy one, in a few words; null: it is. The body is another question.</summary>
    /// <param name="header">The values of a header; none where the answer does not have it.</param>
    public string? Objection(int status, Func<string, IReadOnlyList<string>> header)
    {
        if (!Status.Holds(status)) return $"status {status}";

        foreach (var test in Headers)
        {
            if (!test.Holds(header(test.Name))) return $"header {test.Name} does not match";
        }

        return null;
    }
}

/// <summary>Statuses and ranges of them; negated: all but these.</summary>
public sealed record StatusMatch(bool Negated, ImmutableArray<(int First, int Last)> Ranges)
{
    public bool Holds(int status) => Ranges.Any(range => status >= range.First && status <= range.Last) != Negated;

    /// <summary>Reads <c>200</c>, <c>200-399</c>, <c>! 500</c>; false with a message for the person who wrote it.</summary>
    public static bool TryParse(
        IReadOnlyList<string> texts, [NotNullWhen(true)] out StatusMatch? match, [NotNullWhen(false)] out string? error)
    {
        match = null;
        var negated = texts.Count > 0 && texts[0].StartsWith('!');
        var ranges = ImmutableArray.CreateBuilder<(int, int)>();
        for (var i = 0; i < texts.Count; i++)
        {
            var text = i == 0 && negated ? texts[i][1..].Trim() : texts[i];
            var parts = text.Split('-');
            if (parts.Length > 2 || !TryRead(parts[0], out var first) || !TryRead(parts[^1], out var last) || last < first)
            {
                error = $"\"{texts[i]}\" is not a status such as 200, nor a range such as 200-399 (only the first may begin with \"!\")";
                return false;
            }

            ranges.Add((first, last));
        }

        (match, error) = (new(negated, ranges.ToImmutable()), null);
        return true;
    }

    private static bool TryRead(string text, out int status) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out status) && status is >= 100 and <= 599;
}

/// <summary>A test of one header. Of several values, one that matches is enough; negated: none may.</summary>
/// <param name="Value">It must be this; null: see <paramref name="Pattern"/>.</param>
/// <param name="Pattern">It must match this; null as well: it must be there.</param>
public sealed record HeaderMatch(string Name, bool Negated, string? Value, Regex? Pattern)
{
    public bool Holds(IReadOnlyList<string> values) => values.Any(Matches) != Negated;

    /// <summary>
    /// Reads nginx's forms: <c>NAME</c>, <c>! NAME</c>, <c>NAME = VALUE</c>, <c>NAME != VALUE</c>, <c>NAME ~ PATTERN</c>,
    /// <c>NAME !~ PATTERN</c>; false with a message for the person who wrote it.
    /// </summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out HeaderMatch? match, [NotNullWhen(false)] out string? error)
    {
        (match, error) = (null, null);
        var words = text.Trim().Split(' ', 3, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        Regex? pattern = null;
        if (words is [_, "~" or "!~", var written] && !LinearRegex.TryCompile(ByteText.From(written), out pattern, out error)) return false;

        match = words switch
        {
            ["!", var name] => new(name, Negated: true, null, null),
            [var name] when name.Length > 1 && name[0] == '!' => new(name[1..], Negated: true, null, null),
            [var name] => new(name, Negated: false, null, null),
            [var name, "=" or "!=", var value] => new(name, words[1] == "!=", ByteText.From(value), null),
            [var name, "~" or "!~", _] => new(name, words[1] == "!~", null, pattern),
            _ => null,
        };
        if (match is not null && IsName(match.Name)) return true;

        match = null;
        error = $"\"{text}\" is none of NAME, ! NAME, NAME = VALUE, NAME != VALUE, NAME ~ PATTERN, NAME !~ PATTERN";
        return false;
    }

    private bool Matches(string value) => Pattern?.IsMatch(value) ?? (Value is null || value == Value);

    private static bool IsName(string name) => name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal));
}

/// <summary>A test of the first <see cref="Limit"/> bytes of the body.</summary>
public sealed record BodyMatch(bool Negated, Regex Pattern)
{
    public const int Limit = 256 * 1024;

    /// <param name="body">One character for each byte.</param>
    public bool Holds(string body) => Pattern.IsMatch(body) != Negated;

    /// <summary>Reads <c>~ PATTERN</c> or <c>!~ PATTERN</c>; false with a message for the person who wrote it.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out BodyMatch? match, [NotNullWhen(false)] out string? error)
    {
        match = null;
        var written = text.TrimStart();
        var negated = written.StartsWith('!');
        if (negated) written = written[1..];
        if (!written.StartsWith('~') || written[1..].Trim() is not { Length: > 0 } pattern)
        {
            error = $"\"{text}\" is neither ~ PATTERN nor !~ PATTERN";
            return false;
        }

        if (!LinearRegex.TryCompile(ByteText.From(pattern), out var regex, out error)) return false;

        match = new(negated, regex);
        return true;
    }
}
