using System.Text;

namespace StickyIngress.Import;

/// <summary>
/// Splits an nginx configuration into words and marks, by nginx's rules: a quote or <c>#</c> counts only where a word begins, a
/// backslash takes the next character's meaning away, and <c>{</c> after <c>$</c> belongs to the word.
/// </summary>
internal sealed class NginxTokenizer(string text, string file)
{
    /// <summary>nginx's buffer, into which a word must fit.</summary>
    private const int LongestWord = 4096;

    private int _at;
    private int _line = 1;

    /// <summary>The next word or mark; at the end again and again End.</summary>
    /// <exception cref="NginxSyntaxException">nginx would not read on here.</exception>
    public NginxToken Next()
    {
        SkipSpaceAndComments();
        if (_at == text.Length) return new(NginxTokenKind.End, "", _line);

        return text[_at] switch
        {
            ';' => Mark(NginxTokenKind.Semicolon),
            '{' => Mark(NginxTokenKind.Open),
            '}' => Mark(NginxTokenKind.Close),
            '"' or '\'' => Quoted(),
            _ => Bare(),
        };
    }

    public NginxSyntaxException Unexpected(string what, int line) => new(file, line, $"unexpected {what}");

    private void SkipSpaceAndComments()
    {
        for (var comment = false; _at < text.Length; _at++)
        {
            var c = text[_at];
            if (c == '#') comment = true;
            if (c == '\n') (comment, _line) = (false, _line + 1);
            if (!comment && !IsSpace(c)) return;
        }
    }

    private NginxToken Mark(NginxTokenKind kind) => new(kind, text[_at++].ToString(), _line);

    private NginxToken Quoted()
    {
        var (quote, start, line) = (text[_at], ++_at, _line);
        while (_at < text.Length && text[_at] != quote) Step();
        if (_at == text.Length) throw Unexpected("end of file, expecting \";\" or \"}\"", _line);

        var word = Word(start, line);
        _at++;
        if (_at < text.Length && !IsSpace(text[_at]) && text[_at] is not (';' or '{' or ')')) throw Unexpected($"\"{text[_at]}\"", _line);
        return word;
    }

    private NginxToken Bare()
    {
        var (start, line, variable) = (_at, _line, false);
        while (_at < text.Length)
        {
            var c = text[_at];
            if (IsSpace(c) || c == ';' || (c == '{' && !variable)) break;

            variable = c == '$' || (c == '{' && variable);
            Step();
        }

        return Word(start, line);
    }

    /// <summary>One character on, or two where the first is a backslash.</summary>
    private void Step()
    {
        if (text[_at] == '\\' && _at + 1 < text.Length) _at++;
        if (text[_at] == '\n') _line++;
        _at++;
    }

    private NginxToken Word(int start, int line)
    {
        if (_at - start >= LongestWord) throw new NginxSyntaxException(file, line, $"too long parameter \"{text[start..(start + 10)]}...\" started");

        return new(NginxTokenKind.Word, Unescape(text.AsSpan(start, _at - start)), line);
    }

    /// <summary>A backslash goes in front of quotes and backslashes, and makes t, r and n control characters; else it stays, as patterns need it.</summary>
    private static string Unescape(ReadOnlySpan<char> word)
    {
        var plain = new StringBuilder(word.Length);
        for (var i = 0; i < word.Length; i++)
        {
            char? escaped = word[i] == '\\' && i + 1 < word.Length
                ? word[i + 1] switch { '"' => '"', '\'' => '\'', '\\' => '\\', 't' => '\t', 'r' => '\r', 'n' => '\n', _ => null }
                : null;
            plain.Append(escaped ?? word[i]);
            if (escaped is not null) i++;
        }

        return plain.ToString();
    }

    private static bool IsSpace(char c) => c is ' ' or '\t' or '\r' or '\n';
}

/// <summary>A word, or a mark that ends a directive or opens or closes a block.</summary>
internal readonly record struct NginxToken(NginxTokenKind Kind, string Text, int Line);

internal enum NginxTokenKind
{
    Word,
    Semicolon,
    Open,
    Close,
    End,
}

/// <summary>The text is no nginx configuration; caught where the file is loaded.</summary>
internal sealed class NginxSyntaxException(string file, int line, string message) : Exception(message)
{
    public string File => file;

    public int Line => line;
}
