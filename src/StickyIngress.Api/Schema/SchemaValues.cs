using System.Collections;

namespace StickyIngress.Api.Schema;

/// <summary>Values of the resource as they are written in YAML: words, times as 10s, sizes as 64k.</summary>
internal static class SchemaValues
{
    /// <summary>The fields that must be written and those that differ from their default.</summary>
    public static YamlMap Of(object record)
    {
        var map = new YamlMap();
        foreach (var field in ObjectSchema.Of(record.GetType()).Fields)
        {
            var value = field.Get(record);
            if (value is not null && (field.Required || !value.Equals(field.Default))) map.Add(field.Name, Of(value, field));
        }

        return map;
    }

    public static object Of(object value, FieldSchema field) => field.Kind switch
    {
        FieldKind.Text or FieldKind.Bool or FieldKind.Integer => value,
        FieldKind.Word => value.ToString()!,
        FieldKind.Time => NginxTime.Format((TimeSpan)value),
        FieldKind.Size => (long)value == 0 ? 0L : NginxSize.Format((long)value),
        FieldKind.Port => ((IntOrString)value) is { Name: { } name } ? name : (object)((IntOrString)value).Number,
        FieldKind.Expires => ((CookieExpires)value).After is { } after ? NginxTime.Format(after) : "max",
        FieldKind.Moment => ((DateTimeOffset)value).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"),
        FieldKind.Object => Of(value),
        FieldKind.TextList => ((IEnumerable)value).Cast<object>().ToList(),
        FieldKind.WordList => ((IEnumerable)value).Cast<object>().Select(w => (object)w.ToString()!).ToList(),
        _ => ((IEnumerable)value).Cast<object>().Select(item => (object)Of(item)).ToList(),
    };
}
