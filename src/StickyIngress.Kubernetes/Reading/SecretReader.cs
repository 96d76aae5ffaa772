using System.Text.Json;
using StickyIngress.Api.Kubernetes;

namespace StickyIngress.Kubernetes.Reading;

/// <summary>Reads a core/v1 Secret and decodes its data.</summary>
internal static class SecretReader
{
    public static Secret Read(ref Utf8JsonReader reader, StringPool pool)
    {
        var secret = new Secret { Metadata = new() { Name = "" } };
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("metadata"u8)) secret = secret with { Metadata = Metadata.Read(ref reader, pool, annotated: false) };
            else if (reader.ValueTextEquals("type"u8)) secret = secret with { Type = Json.Text(ref reader, pool) };
            else if (reader.ValueTextEquals("data"u8) && Json.EnterObject(ref reader)) secret = secret with { Data = Values(ref reader, pool) };
            else reader.Skip();
        }

        return secret;
    }

    public static Secret? Unchanged(Secret former, Secret next)
    {
        var same = former.Metadata.Uid == next.Metadata.Uid && former.Type == next.Type && former.Data.Count == next.Data.Count
            && former.Data.All(entry => next.Data.TryGetValue(entry.Key, out var value) && value.Span.SequenceEqual(entry.Value.Span));
        return same ? former with { Metadata = next.Metadata } : null;
    }

    private static Dictionary<string, ReadOnlyMemory<byte>> Values(ref Utf8JsonReader reader, StringPool pool)
    {
        var values = new Dictionary<string, ReadOnlyMemory<byte>>();
        while (Json.NextProperty(ref reader))
        {
            var key = pool.Read(ref reader);
            reader.Read();
            values[key] = reader.TokenType == JsonTokenType.Null ? Array.Empty<byte>() : reader.GetBytesFromBase64();
        }

        return values;
    }
}
