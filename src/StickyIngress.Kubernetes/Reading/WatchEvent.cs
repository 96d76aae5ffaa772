using System.Buffers;
using System.Text.Json;

namespace StickyIngress.Kubernetes.Reading;

/// <summary>One line of a watch: what happened, and the object's JSON unread. Throws what <see cref="Json.IsMalformed"/> knows.</summary>
internal readonly record struct WatchEvent(WatchEventType Type, ReadOnlySequence<byte> Object)
{
    public static WatchEvent Read(ReadOnlySequence<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        var (type, found) = ((WatchEventType?)null, ReadOnlySequence<byte>.Empty);
        reader.Read();
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("type"u8))
            {
                reader.Read();
                type = TypeOf(ref reader);
            }
            else if (reader.ValueTextEquals("object"u8))
            {
                reader.Read();
                var start = reader.TokenStartIndex;
                reader.Skip();
                found = line.Slice(start, reader.BytesConsumed - start);
            }
            else
            {
                reader.Skip();
            }
        }

        return new(type ?? throw new JsonException("it has no type"), found);
    }

    /// <summary>The Status object of an ERROR event as what it would have been as an answer.</summary>
    public ApiServerException ToException()
    {
        var reader = new Utf8JsonReader(Object);
        var (code, message, wait) = (0, "", (TimeSpan?)null);
        reader.Read();
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("code"u8)) code = Json.Int(ref reader);
            else if (reader.ValueTextEquals("message"u8)) message = Json.Text(ref reader);
            else if (reader.ValueTextEquals("details"u8) && Json.EnterObject(ref reader)) wait = RetryAfter(ref reader);
            else reader.Skip();
        }

        return new(code, message, wait);
    }

    private static TimeSpan? RetryAfter(ref Utf8JsonReader reader)
    {
        TimeSpan? wait = null;
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("retryAfterSeconds"u8)) wait = TimeSpan.FromSeconds(Json.Int(ref reader));
            else reader.Skip();
        }

        return wait;
    }

    private static WatchEventType TypeOf(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("MODIFIED"u8)) return WatchEventType.Modified;
        if (reader.ValueTextEquals("ADDED"u8)) return WatchEventType.Added;
        if (reader.ValueTextEquals("DELETED"u8)) return WatchEventType.Deleted;
        if (reader.ValueTextEquals("BOOKMARK"u8)) return WatchEventType.Bookmark;
        if (reader.ValueTextEquals("ERROR"u8)) return WatchEventType.Error;
        throw new JsonException($"its type is {reader.GetString()}");
    }
}

internal enum WatchEventType
{
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
}
