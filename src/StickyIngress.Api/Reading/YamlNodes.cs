using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace StickyIngress.Api.Reading;

/// <summary>
/// Turns one YAML text into the node trees of its documents, one after the other, so that only one tree is alive at a time.
/// Depth is bounded, and so is what aliases repeat.
/// </summary>
internal sealed class YamlNodes(string text)
{
    public const int MaxDepth = 100;
    public const int MaxCharacters = 10 * 1024 * 1024;
    public const long MaxRepeatedNodes = 1_000_000;

    private readonly Parser _parser = new(new Scanner(new StringReader(text), skipComments: true));
    private readonly Dictionary<string, (Node Node, long Weight)> _anchors = new(StringComparer.Ordinal);
    private readonly List<Node> _scratch = [];
    private long _weight; // nodes of the document so far, aliases counted as often as they are used
    private long _repeated;

    /// <summary>All documents, each read when it is asked for. Throws <see cref="SyntaxException"/>.</summary>
    public IEnumerable<Node> All()
    {
        while (Next() is { } document) yield return document;
    }

    /// <summary>The next document; null at the end. Throws <see cref="SyntaxException"/>.</summary>
    public Node? Next()
    {
        try
        {
            while (_parser.MoveNext())
            {
                if (_parser.Current is not DocumentStart) continue;

                _anchors.Clear();
                _scratch.Clear();
                _parser.MoveNext();
                return Read(0);
            }

            return null;
        }
        catch (YamlException e)
        {
            throw new SyntaxException(Sentence(e.Message), e.Start.Line, e.Start.Column);
        }
        catch (InvalidOperationException)
        {
            // Some malformed texts bring the parser into a state that it does not expect itself.
            var at = _parser.Current?.End ?? Mark.Empty;
            throw new SyntaxException("the text cannot be parsed here", at.Line, at.Column);
        }
    }

    private Node Read(int depth)
    {
        var start = _parser.Current!.Start;
        if (depth > MaxDepth) throw new SyntaxException($"nested deeper than {MaxDepth} levels", start.Line, start.Column);

        var before = _weight++;
        switch (_parser.Current)
        {
            case Scalar scalar:
                return Anchored(scalar.Anchor, ReadScalar(scalar), before);
            case AnchorAlias alias:
                return Repeat(alias);
            case SequenceStart list:
                return Anchored(list.Anchor, ReadList(list, depth), before);
            case MappingStart map:
                return Anchored(map.Anchor, ReadMap(map, depth), before);
            default:
                throw new SyntaxException("a key has no value, or a value no key", start.Line, start.Column);
        }
    }

    private static Node ReadScalar(Scalar scalar)
    {
        var plain = scalar.IsPlainImplicit && scalar.Style == ScalarStyle.Plain;
        if (!scalar.Tag.IsEmpty)
        {
            plain = scalar.Tag.Value switch
            {
                "!" or "tag:yaml.org,2002:str" => false,
                "tag:yaml.org,2002:int" or "tag:yaml.org,2002:float" or "tag:yaml.org,2002:bool" or "tag:yaml.org,2002:null" => true,
                var tag => throw new SyntaxException($"the tag {tag} is not known", scalar.Start.Line, scalar.Start.Column),
            };
        }

        return new Node(NodeKind.Scalar, scalar.Value, plain, [], (int)scalar.Start.Line, (int)scalar.Start.Column);
    }

    private Node ReadList(SequenceStart start, int depth)
    {
        var from = _scratch.Count;
        for (_parser.MoveNext(); _parser.Current is not SequenceEnd; _parser.MoveNext()) _scratch.Add(Read(depth + 1));
        return new Node(NodeKind.List, "", false, TakeFrom(from), (int)start.Start.Line, (int)start.Start.Column);
    }

    private Node ReadMap(MappingStart start, int depth)
    {
        var from = _scratch.Count;
        var merges = false;
        for (_parser.MoveNext(); _parser.Current is not MappingEnd; _parser.MoveNext())
        {
            var key = Read(depth + 1);
            if (key.Kind != NodeKind.Scalar) throw new SyntaxException("a key must be a word, not a list or a map", key.Line, key.Column);

            merges |= key is { Plain: true, Text: "<<" };
            _parser.MoveNext();
            var value = Read(depth + 1);
            _scratch.Add(key);
            _scratch.Add(value);
        }

        var children = TakeFrom(from);
        if (merges) children = Merge(children);
        return new Node(NodeKind.Map, "", false, children, (int)start.Start.Line, (int)start.Start.Column);
    }

    /// <summary>YAML's merge key: <c>&lt;&lt;: *defaults</c> adds what the map does not say itself.</summary>
    private static Node[] Merge(Node[] children)
    {
        var merged = new List<Node>(children.Length);
        var sources = new List<Node>();
        for (var i = 0; i < children.Length; i += 2)
        {
            if (children[i] is not { Plain: true, Text: "<<" })
            {
                merged.AddRange(children[i], children[i + 1]);
                continue;
            }

            sources.AddRange(children[i + 1].Kind == NodeKind.List ? children[i + 1].Children : [children[i + 1]]);
        }

        var known = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < merged.Count; i += 2) known.Add(merged[i].Text);
        foreach (var source in sources)
        {
            if (source.Kind != NodeKind.Map) throw new SyntaxException("'<<' must be a map or a list of maps", source.Line, source.Column);

            for (var i = 0; i < source.Children.Length; i += 2)
            {
                if (known.Add(source.Children[i].Text)) merged.AddRange(source.Children[i], source.Children[i + 1]);
            }
        }

        return [.. merged];
    }

    private Node Repeat(AnchorAlias alias)
    {
        if (!_anchors.TryGetValue(alias.Value.Value, out var known))
            throw new SyntaxException($"no anchor &{alias.Value.Value} stands before its alias", alias.Start.Line, alias.Start.Column);

        _weight += known.Weight;
        _repeated += known.Weight;
        if (_repeated > MaxRepeatedNodes)
            throw new SyntaxException($"aliases repeat more than {MaxRepeatedNodes} values", alias.Start.Line, alias.Start.Column);

        return known.Node;
    }

    private Node Anchored(AnchorName anchor, Node node, long before)
    {
        if (!anchor.IsEmpty) _anchors[anchor.Value] = (node, _weight - before);
        return node;
    }

    private Node[] TakeFrom(int from)
    {
        var count = _scratch.Count - from;
        if (count == 0) return [];

        var taken = new Node[count];
        _scratch.CopyTo(from, taken, 0, count);
        _scratch.RemoveRange(from, count);
        return taken;
    }

    private static string Sentence(string message) => message.ReplaceLineEndings(" ").TrimEnd('.');
}

/// <summary>A text that is no YAML, or more of it than we take. The message is for the person who wrote it.</summary>
internal sealed class SyntaxException(string message, long line, long column) : Exception(message)
{
    public int Line { get; } = (int)line;

    public int Column { get; } = (int)column;
}
