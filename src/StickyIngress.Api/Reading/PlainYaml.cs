using System.Runtime.InteropServices;

namespace StickyIngress.Api.Reading;

/*
 * What it reads:  maps and lists in blocks; flow maps and lists, quoted strings without escapes and plain scalars, each within one line;
 *                 comments; several documents. All in printable ASCII.
 * What it leaves: everything else, right or wrong, by ending before the document in which it meets it: anchors, tags, block scalars, scalars over
 *                 several lines, escapes, unusual keys, empty values, and every mistake. So it never reports one.
 * Its answer is the one that YamlNodes would give, positions included; a property test compares the two. It reads a document when it is
 * asked for, and with it the nodes of the one before are used again: they would be half of all that reading a large file allocates.
 */

/// <summary>Reads the kind of YAML that nearly all manifests are written in, some twenty times as fast as <see cref="YamlNodes"/>.</summary>
internal sealed class PlainYaml
{
    private const int MaxDepth = 50;
    private const int MaxKeyLength = 128;

    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    private const string Digits = "0123456789";

    private static readonly AsciiSet Known = new(Letters + Digits + " !\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~\n");
    private static readonly AsciiSet KeyStart = new(Letters);
    private static readonly AsciiSet KeyRest = new(Letters + Digits + "./-");
    private static readonly AsciiSet PlainStart = new(Letters + Digits + "/$.+(^~=;<\\");
    private static readonly AsciiSet FlowRest = new(Letters + Digits + "/$.+(^~=;<\\)*@-");
    private static readonly AsciiSet AfterColon = new(Letters + Digits + "/");

    private readonly string _text;
    private readonly List<Node> _scratch = [];
    private readonly List<Node> _nodes = [];
    private int _used; // of the nodes, by this document
    private readonly Dictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> _keys = new Dictionary<string, string>(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
    private int _line; // from 1
    private int _start; // where the line begins
    private int _content; // its first character that is not a space, or that of the map in a list's item
    private int _end; // behind its last character that is not a space
    private int _next; // where the next line begins
    private bool _atEnd;

    public PlainYaml(string text)
    {
        _text = text;
        IsPlain = Known.HoldsAll(text);
        if (IsPlain) MoveNext();
    }

    /// <summary>False: from the document after the last one on the text is for <see cref="YamlNodes"/>.</summary>
    public bool IsPlain { get; private set; }

    private int Indent => _content - _start;

    private bool IsSeparator => Indent == 0 && _text.AsSpan(_content, _end - _content) is "---";

    private bool IsItem => _text[_content] == '-' && _content + 1 < _end && _text[_content + 1] == ' ';

    /// <summary>The next document; null: there is none, or not for this reader. It ends the one before.</summary>
    public Node? Next()
    {
        if (_atEnd || !IsPlain) return null;

        _used = 0;
        var document = ReadDocument();
        IsPlain = document is not null;
        return document;
    }

    private Node? ReadDocument()
    {
        if (IsSeparator)
        {
            var line = _line + 1;
            var isLast = _next == _text.Length;
            MoveNext();

            // An empty document; this is where YamlNodes has it.
            if (_atEnd) return isLast ? New(NodeKind.Scalar, "", true, [], line, 2) : null;
        }

        if (Indent != 0 || ReadMap(0) is not { } root) return null;

        return _atEnd || IsSeparator ? root : null;
    }

    /// <summary>Goes to the next line that is neither empty nor a comment.</summary>
    private void MoveNext()
    {
        while (_next < _text.Length)
        {
            _line++;
            _start = _next;
            var length = _text.AsSpan(_start).IndexOf('\n');
            _end = length < 0 ? _text.Length : _start + length;
            _next = _end + 1;
            _content = _start;
            while (_content < _end && _text[_content] == ' ') _content++;
            if (_content == _end || _text[_content] == '#') continue;

            while (_text[_end - 1] == ' ') _end--;
            return;
        }

        _atEnd = true;
    }

    private Node? ReadMap(int depth)
    {
        if (depth > MaxDepth) return null;

        var (indent, line, from) = (Indent, _line, _scratch.Count);
        do
        {
            var at = _content;
            if (ReadKey(ref at) is not { } key) return null;

            _scratch.Add(key);
            if (ReadValue(at, indent, depth) is not { } value) return null;

            _scratch.Add(value);
        }
        while (!_atEnd && Indent == indent && !IsSeparator);

        return IsDeeper(indent) ? null : Collect(NodeKind.Map, from, line, indent + 1);
    }

    private Node? ReadList(int depth)
    {
        if (depth > MaxDepth) return null;

        var (indent, line, from) = (Indent, _line, _scratch.Count);
        do
        {
            var at = _content + 1;
            SkipSpaces(ref at);
            var key = at;
            Node? item;
            if (ReadKey(ref key) is null)
            {
                item = ReadInline(at, indent, depth);
            }
            else
            {
                _content = at;
                item = ReadMap(depth + 1);
            }

            if (item is null) return null;

            _scratch.Add(item);
        }
        while (!_atEnd && Indent == indent && IsItem);

        return IsDeeper(indent) ? null : Collect(NodeKind.List, from, line, indent + 1);
    }

    /// <param name="at">Behind the colon.</param>
    /// <param name="indent">Of the map.</param>
    private Node? ReadValue(int at, int indent, int depth)
    {
        if (at < _end)
        {
            SkipSpaces(ref at);
            return ReadInline(at, indent, depth);
        }

        MoveNext();
        if (_atEnd || IsSeparator || Indent < indent) return null;
        if (IsItem) return ReadList(depth + 1);
        return Indent > indent ? ReadMap(depth + 1) : null;
    }

    /// <summary>What stands in the rest of the line, and nothing goes on below it.</summary>
    private Node? ReadInline(int at, int indent, int depth)
    {
        var node = _text[at] is '{' or '[' or '"' or '\'' ? ReadDelimited(ref at, depth + 1) : ReadPlain(ref at);
        if (node is null || (at < _end && !IsComment(at))) return null;

        MoveNext();
        return IsDeeper(indent) ? null : node;
    }

    private Node? ReadDelimited(ref int at, int depth) => _text[at] is '"' or '\'' ? ReadQuoted(ref at) : ReadFlow(ref at, depth);

    private Node? ReadFlow(ref int at, int depth)
    {
        if (depth > MaxDepth) return null;

        var (start, from) = (at, _scratch.Count);
        var (kind, close) = _text[at++] == '{' ? (NodeKind.Map, '}') : (NodeKind.List, ']');
        SkipSpaces(ref at);
        if (at < _end && _text[at] == close)
        {
            at++;
            return Collect(kind, from, _line, start - _start + 1);
        }

        while (true)
        {
            if (kind == NodeKind.Map)
            {
                if (ReadKey(ref at) is not { } key || at == _end) return null;

                _scratch.Add(key);
                SkipSpaces(ref at);
            }

            if (at >= _end) return null;

            var value = _text[at] is '{' or '[' or '"' or '\'' ? ReadDelimited(ref at, depth + 1) : ReadFlowPlain(ref at);
            if (value is null) return null;

            _scratch.Add(value);
            SkipSpaces(ref at);
            if (at >= _end) return null;

            var delimiter = _text[at++];
            if (delimiter == close) return Collect(kind, from, _line, start - _start + 1);
            if (delimiter != ',') return null;

            SkipSpaces(ref at);
        }
    }

    /// <summary>A key with its colon, behind which is a space or the line's end.</summary>
    private Node? ReadKey(ref int at)
    {
        if (at >= _end || !KeyStart.Contains(_text[at])) return null;

        var rest = _text.AsSpan(at, _end - at);
        var length = KeyRest.IndexOfAnyExcept(rest);
        if (length is < 0 or > MaxKeyLength || rest[length] != ':' || (length + 1 < rest.Length && rest[length + 1] != ' ')) return null;

        var name = rest[..length];
        if (!_keys.TryGetValue(name, out var text)) _keys.Dictionary[text = name.ToString()] = text;
        var key = Scalar(text, at, plain: true);
        at += length + 1;
        return key;
    }

    private Node? ReadQuoted(ref int at)
    {
        var (start, quote) = (at, _text[at]);
        var rest = _text.AsSpan(at + 1, _end - at - 1);
        var length = rest.IndexOf(quote);
        if (length < 0) return null;

        at += length + 2;
        var escaped = quote == '"' ? rest[..length].Contains('\\') : at < _end && _text[at] == '\'';
        return escaped ? null : Scalar(rest[..length].ToString(), start, plain: false);
    }

    private Node? ReadPlain(ref int at)
    {
        if (!PlainStart.Contains(_text[at])) return null;

        var start = at;
        var rest = _text.AsSpan(at, _end - at);
        var comment = rest.IndexOf(" #");
        if (comment >= 0) rest = rest[..comment].TrimEnd(' ');
        if (rest.Contains(": ", StringComparison.Ordinal) || rest[^1] == ':') return null;

        at += rest.Length;
        return Scalar(rest.ToString(), start, plain: true);
    }

    private Node? ReadFlowPlain(ref int at)
    {
        var start = at;
        if (!PlainStart.Contains(_text[at])) return null;

        while (at < _end && (FlowRest.Contains(_text[at]) || (_text[at] == ':' && at + 1 < _end && AfterColon.Contains(_text[at + 1])))) at++;
        return Scalar(_text[start..at], start, plain: true);
    }

    private Node Scalar(string value, int at, bool plain) => New(NodeKind.Scalar, value, plain, [], _line, at - _start + 1);

    private Node Collect(NodeKind kind, int from, int line, int column)
    {
        Node[] children = _scratch.Count == from ? [] : [.. CollectionsMarshal.AsSpan(_scratch)[from..]];
        _scratch.RemoveRange(from, children.Length);
        return New(kind, "", false, children, line, column);
    }

    private Node New(NodeKind kind, string text, bool plain, Node[] children, int line, int column)
    {
        if (_used == _nodes.Count) _nodes.Add(new(kind, text, plain, children, line, column));
        else _nodes[_used].Become(kind, text, plain, children, line, column);
        return _nodes[_used++];
    }

    private bool IsDeeper(int indent) => !_atEnd && Indent > indent;

    private bool IsComment(int at)
    {
        if (_text[at] != ' ') return false;

        SkipSpaces(ref at);
        return _text[at] == '#';
    }

    private void SkipSpaces(ref int at)
    {
        while (at < _end && _text[at] == ' ') at++;
    }
}
