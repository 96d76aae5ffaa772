using System.Buffers;
using System.Text.Json;
using StickyIngress.Api;

namespace StickyIngress.Kubernetes.Reading;

/// <summary>Reads metadata.</summary>
internal static class Metadata
{
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    private static readonly IReadOnlyDictionary<string, string> None = new Dictionary<string, string>();

    /// <summary>The head of a complete object; reads no further than its metadata.</summary>
    public static ObjectHead Head(in ReadOnlySequence<byte> json, StringPool pool)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        var head = new ObjectHead("", "", "", InitialEventsEnd: false);
        while (Json.NextProperty(ref reader))
        {
            if (!reader.ValueTextEquals("metadata"u8))
                reader.Skip();
            else if (Json.EnterObject(ref reader))
                return Head(ref reader, pool);
        }

        return head;
    }

    /// <summary>The whole metadata; labels and annotations only where they are wanted.</summary>
    public static ObjectMeta Read(ref Utf8JsonReader reader, StringPool pool, bool annotated)
    {
        var meta = new ObjectMeta { Name = "", Namespace = "" };
        if (!Json.EnterObject(ref reader)) return meta;

        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("name"u8)) meta = meta with { Name = Json.Text(ref reader) };
            else if (reader.ValueTextEquals("namespace"u8)) meta = meta with { Namespace = Json.Text(ref reader, pool) };
            else if (reader.ValueTextEquals("uid"u8)) meta = meta with { Uid = Json.Text(ref reader) };
            else if (reader.ValueTextEquals("resourceVersion"u8)) meta = meta with { ResourceVersion = Json.Text(ref reader) };
            else if (reader.ValueTextEquals("generation"u8)) meta = meta with { Generation = Json.Number(ref reader) };
            else if (reader.ValueTextEquals("creationTimestamp"u8)) meta = meta with { CreationTimestamp = Time(ref reader) };
            else if (annotated && reader.ValueTextEquals("labels"u8)) meta = meta with { Labels = Map(ref reader, pool) };
            else if (annotated && reader.ValueTextEquals("annotations"u8)) meta = meta with { Annotations = Map(ref reader, pool) };
            else reader.Skip();
        }

        return meta;
    }

    public static bool IsSame(IReadOnlyDictionary<string, string> one, IReadOnlyDictionary<string, string> other) =>
        one.Count == other.Count && one.All(entry => other.TryGetValue(entry.Key, out var value) && value == entry.Value);

    private static ObjectHead Head(ref Utf8JsonReader reader, StringPool pool)
    {
        var head = new ObjectHead("", "", "", InitialEventsEnd: false);
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("name"u8)) head = head with { Name = Json.Text(ref reader) };
            else if (reader.ValueTextEquals("namespace"u8)) head = head with { Namespace = Json.Text(ref reader, pool) };
            else if (reader.ValueTextEquals("resourceVersion"u8)) head = head with { ResourceVersion = Json.Text(ref reader) };
            else if (reader.ValueTextEquals("annotations"u8)) head = head with { InitialEventsEnd = EndsInitialEvents(ref reader) };
            else reader.Skip();
        }

        return head;
    }

    private static bool EndsInitialEvents(ref Utf8JsonReader reader)
    {
        var ends = false;
        if (!Json.EnterObject(ref reader)) return ends;

        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("k8s.io/initial-events-end"u8)) ends = Json.Text(ref reader) == "true";
            else reader.Skip();
        }

        return ends;
    }

    private static DateTimeOffset? Time(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.Null ? null : reader.GetDateTimeOffset();
    }

    private static IReadOnlyDictionary<string, string> Map(ref Utf8JsonReader reader, StringPool pool)
    {
        if (!Json.EnterObject(ref reader)) return None;

        var map = new Dictionary<string, string>();
        while (Json.NextProperty(ref reader))
        {
            // It repeats the whole object and nobody reads it.
            if (reader.ValueTextEquals(LastApplied))
            {
                reader.Skip();
                continue;
            }

            var key = pool.Read(ref reader);
            map[key] = Json.Text(ref reader, pool);
        }

        return map;
    }
}
