using System.Text.Json;

namespace StickyIngress.Api.Reading;

/// <summary>JSON as the same nodes as YAML; numbers and literals are plain scalars, strings are quoted ones.</summary>
internal static class JsonNodes
{
    /// <summary>Throws <see cref="SyntaxException"/>.</summary>
    public static Node Read(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = YamlNodes.MaxDepth });
        try
        {
            reader.Read();
            var root = Read(ref reader);
            reader.Read();
            return root;
        }
        catch (JsonException e)
        {
            throw new SyntaxException("the text is not valid JSON", (e.LineNumber ?? 0) + 1, (e.BytePositionInLine ?? 0) + 1);
        }
        catch (InvalidOperationException)
        {
            throw new SyntaxException("the text holds a string that is not valid Unicode", 0, 0);
        }
    }

    private static Node Read(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return new Node(NodeKind.Map, "", false, ReadChildren(ref reader), 0, 0);
            case JsonTokenType.StartArray:
                return new Node(NodeKind.List, "", false, ReadChildren(ref reader), 0, 0);
            case JsonTokenType.String or JsonTokenType.PropertyName:
                return new Node(NodeKind.Scalar, reader.GetString()!, false, [], 0, 0);
            default:
                return new Node(NodeKind.Scalar, System.Text.Encoding.UTF8.GetString(reader.ValueSpan), true, [], 0, 0);
        }
    }

    private static Node[] ReadChildren(ref Utf8JsonReader reader)
    {
        var children = new List<Node>();
        while (reader.Read() && reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray)) children.Add(Read(ref reader));
        return [.. children];
    }
}
