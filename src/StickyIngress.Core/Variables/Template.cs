using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace StickyIngress.Core.Variables;

/// <summary>
/// Text with variables, as nginx reads it: <c>$name</c> or <c>${name}</c>; a <c>$</c> cannot be escaped. Parsed once by
/// the compiler, evaluated per request; a variable without a value counts as empty unless told otherwise.
/// </summary>
public sealed class Template
{
    private readonly ImmutableArray<Part> _parts;

    private Template(string text, ImmutableArray<Part> parts)
    {
        Text = text;
        _parts = parts;
        IsLiteral = parts.All(part => part.Variable is null);
        SingleVariable = parts is [{ Variable: { } variable }] ? variable : null;
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    public static Template Empty { get; } = new("", []);

    public bool IsLiteral { get; }

    /// <summary>The variable where the text is one variable and nothing else, else null.</summary>
    public Variable? SingleVariable { get; }

    public IEnumerable<Variable> Variables => _parts.Where(part => part.Variable is not null).Select(part => part.Variable!);

    /// <summary>
    /// Parses the text; false with a message for the person who wrote it where a variable is not known.
    /// </summary>
    /// <param name="find">
    /// Resolves a name that is not built in (the user's own, or a capture); null where there is none.
    /// </param>
    public static bool TryParse(
        string text, Func<string, Variable?>? find, [NotNullWhen(true)] out Template? template, [NotNullWhen(false)] out string? error)
    {
        (template, error) = (null, null);
        var parts = ImmutableArray.CreateBuilder<Part>();
        var at = 0;
        while (at < text.Length)
        {
            var dollar = text.IndexOf('$', at);
            if (dollar < 0) dollar = text.Length;
            if (dollar > at) parts.Add(new(ByteText.From(text[at..dollar]), null));
            if (dollar == text.Length) break;

            if (!TryReadName(text, dollar, out var name, out at))
            {
                error = $"\"{text}\" has a '$' without a variable's name at position {dollar + 1}";
                return false;
            }

            var variable = find?.Invoke(name);
            if (variable is null && !Variable.TryFind(name, out variable))
            {
                error = $"unknown \"{name}\" variable in \"{text}\"";
                return false;
            }

            parts.Add(new("", variable));
        }

        template = new(text, parts.ToImmutable());
        return true;
    }

    /// <param name="absent">What stands for a variable that has no value; nginx's logs have <c>-</c>.</param>
    public string Evaluate(RequestValues values, string absent = "") => Evaluate(values, null, absent);

    internal string Evaluate(RequestValues values, Match? match, string absent = "")
    {
        if (_parts.Length == 0) return "";
        if (_parts.Length == 1) return _parts[0].Evaluate(values, match, absent);

        var text = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[256]);
        foreach (var part in _parts) text.AppendLiteral(part.Evaluate(values, match, absent));
        return text.ToStringAndClear();
    }

    public override string ToString() => Text;

    private static bool TryReadName(string text, int dollar, out string name, out int next)
    {
        var braces = dollar + 1 < text.Length && text[dollar + 1] == '{';
        var start = dollar + (braces ? 2 : 1);
        var end = start;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '_')) end++;

        name = text[start..end];
        next = braces ? end + 1 : end;
        return name.Length > 0 && (!braces || (end < text.Length && text[end] == '}'));
    }

    private readonly record struct Part(string Literal, Variable? Variable)
    {
        public string Evaluate(RequestValues values, Match? match, string absent) => Variable switch
        {
            null => Literal,
            { Kind: VariableKind.Capture } => match?.Groups[Variable.Name].Value ?? "",
            _ => values.Find(Variable) ?? absent,
        };
    }
}
