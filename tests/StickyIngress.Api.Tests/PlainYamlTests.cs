using System.Text;
using CsCheck;
using StickyIngress.Api.Reading;

namespace StickyIngress.Api.Tests;

/// <summary>The quick reader of YAML gives the trees that the complete one gives, as far as it goes.</summary>
public sealed class PlainYamlTests
{
    [Fact]
    public void What_manifests_are_written_in_is_read()
    {
        var (documents, isPlain) = Read("""
            # a comment
            apiVersion: v1 # another
            kind: Service
            metadata: { name: web, labels: { app.kubernetes.io/name: web }, empty: {} }
            spec:
              ports:
              - name: http
                port: 80
                list: [10.0.0.1:80, "a b: c", 'd', [], $host]
              - { port: 81 }

              other:
                - plain text, with {all} of [it]
                - "quoted # and: more" # comment
            ---
            kind: Second
            ---

            """);

        Assert.True(isPlain);
        Assert.Equal(3, documents.Count);
    }

    [Theory]
    [InlineData("a: &x b")]
    [InlineData("a: *x")]
    [InlineData("a: !!str b")]
    [InlineData("a: |\n  b")]
    [InlineData("a: b\n  c")]
    [InlineData("a: \"\\n\"")]
    [InlineData("a: 'it''s'")]
    [InlineData("a: { b: c,\n d: e }")]
    [InlineData("a: b: c")]
    [InlineData("a:\n")]
    [InlineData("a: [b, ]")]
    [InlineData("<<: { a: b }")]
    [InlineData("\"a\": b")]
    [InlineData("a:\tb")]
    [InlineData("a: \u00e9")]
    [InlineData("a: b\r\n")]
    [InlineData("- a")]
    [InlineData("a: b\n...")]
    [InlineData("%YAML 1.2\n---\na: b")]
    public void What_is_not_plain_is_left_to_the_complete_reader(string text)
    {
        var (documents, isPlain) = Read(text);

        Assert.False(isPlain);
        Assert.Empty(documents);
    }

    [Fact]
    public void A_document_that_is_not_plain_leaves_those_before_it()
    {
        var (documents, isPlain) = Read("a: b\n---\nc: d\n---\ne: &x f\n---\ng: h\n");

        Assert.False(isPlain);
        Assert.Equal(2, documents.Count);
    }

    [Fact]
    public void Manifests_of_all_kinds_have_the_same_trees() =>
        Assert.All(Texts(), static text => AssertSame(text));

    [Fact]
    public void Changed_manifests_have_the_same_trees()
    {
        var texts = Texts().ToArray();
        Gen.Select(Gen.Int[0, texts.Length - 1], Gen.Select(Gen.Int[0, 5000], Gen.Int[0, 3], Pieces).Array[1, 3]).Sample(
            (number, edits) =>
            {
                var text = texts[number];
                foreach (var (at, length, piece) in edits)
                {
                    var from = at % (text.Length + 1);
                    text = string.Concat(text.AsSpan(0, from), piece, text.AsSpan(Math.Min(from + length, text.Length)));
                }

                AssertSame(text);
            }, iter: 3000);
    }

    [Fact]
    public void Made_up_lines_have_the_same_trees() =>
        Gen.Select(Gen.Int[0, 4], Gen.OneOf(Line, Pieces.Array[1, 6].Select(string.Concat))).Array[1, 8]
            .Select(lines => string.Concat(lines.Select(line => new string(' ', line.Item1) + line.Item2 + "\n")))
            .Sample(AssertSame, iter: 30_000);

    private static Gen<string> Pieces => Gen.OneOf(
        "a", "b1", "-", "- ", ":", ": ", "a: ", "a:", "{", "}", "[", "]", ", ", ",", " ", "  ", "#", " #", "\"", "'", "\n", "\n\n", "\n  ", "---", "\n---\n", "...", "~", "null",
        "10.0.0.1:80", "{ a: b }", "[a, b]", "{}", "[]", "$x", "(", "^.+\\.(\\w+)$", "*", "&", "!", "|", ">", "%", "@", "?", "? ", "<<: ", "\\", "=", ";", "/", "http://a/b?c=d#e", "a:b", "a::b", "x\ty");

    private static Gen<string> Line => Gen.OneOf(
        "a: b", "b: c d", "c:", "- a", "- a: b", "- b:", "- - a", "- [a]", "- {a: b}", "d: { e: f, g: [h, i] }", "# c", "", "---", "e: \"f\"", "g: 'h' # i", "j: k # l", "-", "m: -1", "n: [a: b]",
        "o: {p: q}", "r: {s:t, u: v}", "w: x:", "y: [\"z\":a]", "f: a b  c", "h:  i", "k: {a}", "l: [a b]", "--- # x", "--- a", "p: .5", "q: +x", "t: ...", "u: {a: }", "v: {a: b: c}", "z: a]b");

    private static IEnumerable<string> Texts()
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "StickyIngress.sln"))) root = Path.GetDirectoryName(root)!;
        return Directory.EnumerateFiles(Path.Combine(root, "manifests"), "*.yaml", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(Path.Combine(root, "tests/StickyIngress.Control.Tests/Cases"), "*.yaml", SearchOption.AllDirectories))
            .Order(StringComparer.Ordinal).Select(File.ReadAllText).Append(Examples.Everything);
    }

    private static void AssertSame(string text)
    {
        var (documents, isPlain) = Read(text);
        if (!isPlain && documents.Count == 0) return;

        // Behind the last plain document there may be anything, mistakes too.
        var complete = new YamlNodes(text).All();
        Assert.Equal((isPlain ? complete : complete.Take(documents.Count)).Select(Tree), documents);
    }

    private static (List<string> Documents, bool IsPlain) Read(string text)
    {
        var reader = new PlainYaml(text);
        var documents = new List<string>();
        while (reader.Next() is { } document) documents.Add(Tree(document));
        return (documents, reader.IsPlain);
    }

    private static string Tree(Node document)
    {
        var tree = new StringBuilder();
        Write(tree, document, 0);
        return tree.ToString();
    }

    private static void Write(StringBuilder trees, Node node, int depth)
    {
        trees.Append(' ', depth).Append($"{node.Kind} {node.Line}:{node.Column} {node.Plain} <{node.Text}>\n");
        foreach (var child in node.Children) Write(trees, child, depth + 1);
    }
}
