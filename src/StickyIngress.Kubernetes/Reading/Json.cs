using System.Text.Json;

namespace StickyIngress.Kubernetes.Reading;

/// <summary>
/// Steps of reading a complete JSON object as the API server writes it. Each that reads a value begins on the property's name and ends on
/// the value's last token; null reads as absent. What has another shape throws what <see cref="IsMalformed"/> knows.
/// </summary>
internal static class Json
{
    public static bool IsMalformed(Exception e) => e is JsonException or InvalidOperationException or FormatException or OverflowException;

    /// <summary>Goes to the next property of the object; false at its end.</summary>
    public static bool NextProperty(ref Utf8JsonReader reader)
    {
        if (!reader.Read()) throw new JsonException("the object is cut off");

        return reader.TokenType == JsonTokenType.PropertyName;
    }

    /// <summary>Goes into the object; false when it is null.</summary>
    public static bool EnterObject(ref Utf8JsonReader reader) => Enter(ref reader, JsonTokenType.StartObject);

    /// <summary>Goes into the array; false when it is null.</summary>
    public static bool EnterArray(ref Utf8JsonReader reader) => Enter(ref reader, JsonTokenType.StartArray);

    /// <summary>Goes to the next object of the array and into it; false at the array's end.</summary>
    public static bool NextObject(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.EndArray => false,
            JsonTokenType.StartObject => true,
            _ => throw new JsonException($"an object is expected, found {reader.TokenType}"),
        };
    }

    public static string Text(ref Utf8JsonReader reader) => TextOrNull(ref reader) ?? "";

    public static string? TextOrNull(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.GetString();
    }

    public static string Text(ref Utf8JsonReader reader, StringPool pool)
    {
        reader.Read();
        return pool.Read(ref reader);
    }

    public static long Number(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.Null ? 0 : reader.GetInt64();
    }

    public static int Int(ref Utf8JsonReader reader) => checked((int)Number(ref reader));

    public static bool? Flag(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.Null ? null : reader.GetBoolean();
    }

    /// <summary>An IntOrString as text.</summary>
    public static string NumberOrText(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.Number ? reader.GetInt64().ToString() : reader.GetString() ?? "";
    }

    public static List<string> Texts(ref Utf8JsonReader reader)
    {
        var texts = new List<string>();
        if (!EnterArray(ref reader)) return texts;

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) texts.Add(reader.GetString() ?? "");
        return texts;
    }

    private static bool Enter(ref Utf8JsonReader reader, JsonTokenType start)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null) return false;
        if (reader.TokenType == start) return true;

        throw new JsonException($"{start} is expected, found {reader.TokenType}");
    }
}
