using System.Globalization;
using StickyIngress.Api.Schema;

namespace StickyIngress.Api.Reading;

/// <summary>
/// Reads a record of the resource strictly, as its schema says, and reports all that is wrong with it. A field that is
/// wrong is left at its default, so that the rest can still be looked at.
/// </summary>
internal sealed class SpecReader(Findings findings)
{
    public object? ReadObject(Node node, ObjectSchema schema)
    {
        if (node.Kind != NodeKind.Map)
        {
            findings.WrongType(node, "a map");
            return null;
        }

        var value = schema.New();
        var seen = 0UL;
        for (var i = 0; i < node.Children.Length; i += 2)
        {
            var key = node.Children[i];
            var index = schema.IndexOf(key.Text);
            findings.Enter(key.Text);
            if (index < 0)
            {
                findings.Error(ReadReasons.UnknownField, Unknown(key.Text, schema), key);
            }
            else if ((seen & (1UL << index)) == 0 && !node.Children[i + 1].IsNull)
            {
                seen |= 1UL << index;
                var field = schema.Fields[index];
                if (ReadField(node.Children[i + 1], field) is { } read) field.Set(value, read);
            }

            findings.Leave();
        }

        ReportMissing(schema, seen, node);
        return value;
    }

    private static string Unknown(string name, ObjectSchema schema)
    {
        var nearest = Names.Nearest(name, schema.Fields.Select(f => f.Name));
        return nearest is null
            ? $"{name} is not known here; known are {string.Join(", ", schema.Fields.Select(f => f.Name))}"
            : $"{name} is not known here; did you mean {nearest}?";
    }

    private void ReportMissing(ObjectSchema schema, ulong seen, Node node)
    {
        for (var i = 0; i < schema.Fields.Length; i++)
        {
            if (!schema.Fields[i].Required || (seen & (1UL << i)) != 0) continue;

            findings.Enter(schema.Fields[i].Name);
            findings.Error(ReadReasons.Required, $"{schema.Fields[i].Name} is missing; it must be set", node);
            findings.Leave();
        }
    }

    private object? ReadField(Node node, FieldSchema field) => field.Kind switch
    {
        FieldKind.Bool => ReadBool(node),
        FieldKind.Integer => ReadInteger(node, field) is { } number ? Convert.ChangeType(number, field.ValueType) : null,
        FieldKind.Text => ReadText(node, field.Bound, field.Regex, field.Pattern?.Allowed),
        FieldKind.Word => ReadWord(node, field),
        FieldKind.Time => ReadTime(node, field),
        FieldKind.Size => ReadSize(node, field),
        FieldKind.Port => ReadPort(node, field),
        FieldKind.Expires => ReadExpires(node),
        FieldKind.Moment => ReadMoment(node),
        FieldKind.Object => ReadObject(node, field.Object),
        _ => ReadList(node, field),
    };

    private bool? ReadBool(Node node)
    {
        if (node.Kind == NodeKind.Scalar && node.Resolve() == ScalarKind.Bool) return Scalars.IsTrue(node.Text);

        findings.WrongType(node, "true or false");
        return null;
    }

    private long? ReadInteger(Node node, FieldSchema field)
    {
        var most = field.ValueType == typeof(int) ? int.MaxValue : long.MaxValue;
        var (min, max) = field.Range is { } range ? (range.Min, Math.Min(range.Max, most)) : (0, most);
        if (node.Kind != NodeKind.Scalar || node.Resolve() != ScalarKind.Integer || !Scalars.TryInteger(node.Text, out var value))
        {
            findings.WrongType(node, Allowed(min, max));
            return null;
        }

        if (value >= min && value <= max) return (long)value;

        findings.Wrong(ReadReasons.OutOfRange, node, value > int.MaxValue ? $"a whole number from {min} to {max}" : Allowed(min, max));
        return null;
    }

    private static string Allowed(long min, long max) =>
        max >= int.MaxValue ? $"a whole number, at least {min}" : $"a whole number from {min} to {max}";

    private string? ReadText(Node node, BoundAttribute? bound, System.Text.RegularExpressions.Regex? regex, string? allowed)
    {
        if (!IsText(node, "a string")) return null;

        var text = node.Text;
        var length = LengthOf(text);
        var reason = length > bound?.Max ? ReadReasons.TooLong : length < bound?.Min ? ReadReasons.TooShort : null;
        if (reason is not null)
        {
            findings.Wrong(reason, node, $"a string of {bound!.Min} to {bound.Max} characters");
            return null;
        }

        if (regex?.IsMatch(text) == false)
        {
            findings.Wrong(ReadReasons.InvalidValue, node, allowed ?? $"of the form {regex}");
            return null;
        }

        return text;
    }

    /// <summary>As the API server counts: characters, not UTF-16 units.</summary>
    private static int LengthOf(string text)
    {
        var length = text.Length;
        foreach (var c in text)
        {
            if (char.IsLowSurrogate(c)) length--;
        }

        return length;
    }

    private bool IsText(Node node, string allowed)
    {
        if (node.Kind == NodeKind.Scalar && node.Resolve() == ScalarKind.Text) return true;

        findings.NotText(node, allowed);
        return false;
    }

    private object? ReadWord(Node node, FieldSchema field)
    {
        var kind = node.Kind == NodeKind.Scalar ? node.Resolve() : ScalarKind.Null;
        var word = Array.IndexOf(field.Words, node.Text);
        if (kind == ScalarKind.Text && word >= 0) return field.WordValues[word];

        var allowed = $"one of {string.Join(", ", field.Words)}";
        if (kind is not (ScalarKind.Text or ScalarKind.Bool))
        {
            findings.WrongType(node, allowed);
            return null;
        }

        var quotes = word >= 0 ? $" (write it in quotes: \"{node.Text}\")" : "";
        findings.Wrong(ReadReasons.InvalidValue, node, allowed + quotes);
        return null;
    }

    private TimeSpan? ReadTime(Node node, FieldSchema field)
    {
        if (ReadTime(node, field.Unit!.Value, NginxTime.Allowed(field.Unit.Value)) is not { } time) return null;

        var (min, max) = field.Range is { } range ? (range.Min, range.Max) : (0, long.MaxValue);
        if (time.Ticks / TimeSpan.TicksPerMillisecond >= min && time.Ticks / TimeSpan.TicksPerMillisecond <= max) return time;

        var least = NginxTime.Format(TimeSpan.FromMilliseconds(min));
        var most = max == long.MaxValue ? "" : $" and at most {NginxTime.Format(TimeSpan.FromMilliseconds(max))}";
        findings.Wrong(ReadReasons.OutOfRange, node, $"at least {least}{most}");
        return null;
    }

    private TimeSpan? ReadTime(Node node, TimeUnit unit, string allowed)
    {
        if (ReadIntegerOrText(node, allowed) is not { } text) return null;
        if (NginxTime.TryParseStrict(text, unit, out var time)) return time;

        findings.Wrong(ReadReasons.InvalidValue, node, allowed);
        return null;
    }

    private long? ReadSize(Node node, FieldSchema field)
    {
        if (ReadIntegerOrText(node, NginxSize.Allowed) is not { } text) return null;

        if (!NginxSize.TryParse(text, out var bytes))
        {
            findings.Wrong(ReadReasons.InvalidValue, node, NginxSize.Allowed);
            return null;
        }

        if (field.Range is not { } range || (bytes >= range.Min && bytes <= range.Max)) return bytes;

        findings.Wrong(ReadReasons.OutOfRange, node, $"from {NginxSize.Format(range.Min)} to {NginxSize.Format(range.Max)}");
        return null;
    }

    private IntOrString? ReadPort(Node node, FieldSchema field)
    {
        const string Allowed = "a port number from 1 to 65535 or a port's name";
        if (node.Kind != NodeKind.Scalar || node.Resolve() is not (ScalarKind.Integer or ScalarKind.Text))
        {
            findings.WrongType(node, Allowed);
            return null;
        }

        if (node.Resolve() == ScalarKind.Text)
            return ReadText(node, field.Bound, field.Regex, field.Pattern?.Allowed) is { } name ? new IntOrString(0, name) : default(IntOrString?);

        if (Scalars.TryInteger(node.Text, out var port) && port >= 1 && port <= 65535) return new IntOrString((int)port, null);

        findings.Wrong(ReadReasons.OutOfRange, node, Allowed);
        return null;
    }

    private CookieExpires? ReadExpires(Node node)
    {
        if (node is { Kind: NodeKind.Scalar, Text: "max" }) return CookieExpires.Max;

        return ReadTime(node, TimeUnit.Seconds, NginxTime.Allowed(TimeUnit.Seconds) + ", or max") is { } time ? new CookieExpires(time) : null;
    }

    private DateTimeOffset? ReadMoment(Node node)
    {
        if (!IsText(node, "a date and time")) return null;
        if (DateTimeOffset.TryParse(node.Text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)) return moment;

        findings.Wrong(ReadReasons.InvalidValue, node, "a date and time such as 2026-01-31T12:00:00Z");
        return null;
    }

    /// <summary>A time or size: its text, or the digits of a plain integer (so octal and the like are what kubectl makes of them).</summary>
    private string? ReadIntegerOrText(Node node, string allowed)
    {
        if (node.Kind != NodeKind.Scalar || node.Resolve() is not (ScalarKind.Integer or ScalarKind.Text))
        {
            findings.WrongType(node, allowed);
            return null;
        }

        if (node.Resolve() == ScalarKind.Integer && Scalars.TryInteger(node.Text, out var number)) return number.ToString();
        if (node.Text.Length <= Limits.Literal) return node.Text;

        findings.Wrong(ReadReasons.TooLong, node, $"{allowed}, of at most {Limits.Literal} characters");
        return null;
    }

    private object? ReadList(Node node, FieldSchema field)
    {
        if (node.Kind != NodeKind.List)
        {
            findings.WrongType(node, "a list");
            return null;
        }

        if (field.Bound is { } bound && (node.Children.Length > bound.Max || node.Children.Length < bound.Min))
        {
            var reason = node.Children.Length > bound.Max ? ReadReasons.TooMany : ReadReasons.TooFew;
            findings.Error(reason, $"{findings.Name()} has {node.Children.Length} items; it must have {bound.Min} to {bound.Max}{(field.Required ? "" : ", or be left out")}", node);
            return null;
        }

        if (field.MapKey is { } key) ReportDuplicates(node, key);
        return field.Kind switch
        {
            FieldKind.TextList => ReadItems(node, n => ReadText(n, new BoundAttribute(0, field.Item!.Max), field.ItemRegex, null)),
            FieldKind.WordList => ReadTyped(node, field, n => ReadWord(n, field)),
            _ => ReadTyped(node, field, n => ReadObject(n, field.Object)),
        };
    }

    private ValueList<T> ReadItems<T>(Node node, Func<Node, T?> read)
        where T : class
    {
        var items = new List<T>(node.Children.Length);
        for (var i = 0; i < node.Children.Length; i++)
        {
            findings.Enter(i);
            if (read(node.Children[i]) is { } item) items.Add(item);
            findings.Leave();
        }

        return new ValueList<T>([.. items]);
    }

    private Array ReadTyped(Node node, FieldSchema field, Func<Node, object?> read)
    {
        var items = ReadItems(node, read);
        var array = Array.CreateInstance(field.ValueType, items.Count);
        for (var i = 0; i < items.Count; i++) array.SetValue(items[i], i);
        return array;
    }

    private void ReportDuplicates(Node node, string key)
    {
        var first = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < node.Children.Length; i++)
        {
            if (node.Children[i].Get(key) is not { Kind: NodeKind.Scalar } name || first.TryAdd(name.Text, i)) continue;

            findings.Enter(i);
            findings.Enter(key);
            findings.Error(ReadReasons.DuplicateName, $"{key} \"{name.Text}\" is also that of item {first[name.Text]}; it must be unique", name);
            findings.Leave();
            findings.Leave();
        }
    }
}

/// <summary>Limits that no attribute gives.</summary>
internal static class Limits
{
    /// <summary>Characters of a time or a size.</summary>
    public const int Literal = 64;
}
