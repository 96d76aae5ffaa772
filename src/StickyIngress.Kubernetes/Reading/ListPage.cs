using System.Buffers;
using System.Text.Json;

namespace StickyIngress.Kubernetes.Reading;

/// <summary>
/// Reads a page of a list piece by piece: each item is given away as soon as its last byte is there, so a page is never in memory as
/// a whole.
/// </summary>
internal sealed class ListPage(Action<ReadOnlySequence<byte>> item)
{
    private JsonReaderState _state;
    private Place _place;

    private enum Place
    {
        Start,
        Root,
        Items,
        End,
    }

    /// <summary>The version of the list; empty until it was read.</summary>
    public string Version { get; private set; } = "";

    /// <summary>Where the next page begins; empty after the last.</summary>
    public string Continue { get; private set; } = "";

    public bool IsComplete => _place == Place.End;

    /// <summary>Reads what is complete in the buffer and returns where the rest begins, to be given again with more behind it.</summary>
    public SequencePosition Read(ReadOnlySequence<byte> buffer)
    {
        var reader = new Utf8JsonReader(buffer, isFinalBlock: false, _state);
        var read = buffer.Start;
        while (_place != Place.End && Step(ref reader, buffer))
        {
            read = reader.Position;
            _state = reader.CurrentState;
        }

        return read;
    }

    /// <summary>One token or value; false, and nothing noted, when its end is not in the buffer yet.</summary>
    private bool Step(ref Utf8JsonReader reader, ReadOnlySequence<byte> buffer)
    {
        if (!reader.Read()) return false;

        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject when _place == Place.Start:
                _place = Place.Root;
                return true;
            case JsonTokenType.EndObject when _place == Place.Root:
                _place = Place.End;
                return true;
            case JsonTokenType.PropertyName when _place == Place.Root:
                return Property(ref reader, buffer);
            case JsonTokenType.EndArray when _place == Place.Items:
                _place = Place.Root;
                return true;
            case JsonTokenType.StartObject when _place == Place.Items:
                if (Value(ref reader, buffer) is not { } json) return false;

                item(json);
                return true;
            default:
                throw new JsonException($"unexpected {reader.TokenType} in a list");
        }
    }

    private bool Property(ref Utf8JsonReader reader, ReadOnlySequence<byte> buffer)
    {
        var (items, metadata) = (reader.ValueTextEquals("items"u8), reader.ValueTextEquals("metadata"u8));
        if (!reader.Read()) return false;

        if (items && reader.TokenType == JsonTokenType.StartArray)
        {
            _place = Place.Items;
            return true;
        }

        if (Value(ref reader, buffer) is not { } json) return false;

        if (metadata && reader.TokenType == JsonTokenType.EndObject) ReadMetadata(json);
        return true;
    }

    private static ReadOnlySequence<byte>? Value(ref Utf8JsonReader reader, ReadOnlySequence<byte> buffer)
    {
        var start = reader.TokenStartIndex;
        return reader.TrySkip() ? buffer.Slice(start, reader.BytesConsumed - start) : null;
    }

    private void ReadMetadata(ReadOnlySequence<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("resourceVersion"u8)) Version = Json.Text(ref reader);
            else if (reader.ValueTextEquals("continue"u8)) Continue = Json.Text(ref reader);
            else reader.Skip();
        }
    }
}
