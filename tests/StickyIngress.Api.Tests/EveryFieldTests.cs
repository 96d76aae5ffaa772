using StickyIngress.Api.Schema;

namespace StickyIngress.Api.Tests;

/// <summary>Every field of the resource, as its schema lists them, with each kind of value that it must not have.</summary>
public sealed class EveryFieldTests
{
    public static TheoryData<string, string, string> Mistakes { get; } = [.. Of("spec", ObjectSchema.Of(typeof(StickyUpstreamSpec)))];

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_told_with_its_field_and_what_is_allowed(string field, string value, string reason)
    {
        var read = Examples.ReadSpec(Nest(field, value));

        Assert.Empty(read.Resources);
        var error = Assert.Single(read.Errors, found => found.Field == field && found.Reason == reason);
        Assert.Equal((ReadSeverity.Error, new ResourceRef("StickyUpstream", "web", "shop")), (error.Severity, error.Resource!.Value));
        Assert.Matches("it must |did you mean|known are", error.Message);
        Assert.True(error.Line >= 5);
    }

    /// <summary>As YAML: <c>spec.a[0].b</c> is <c>{ a: [{ b: value }] }</c>.</summary>
    private static string Nest(string field, string value) => field.Split('.')[1..].Reverse().Aggregate(value, Within);

    private static string Within(string value, string name) =>
        name.EndsWith(']') ? $"{{ {name[..^3]}: [{value}] }}" : $"{{ {name}: {value} }}";

    private static IEnumerable<TheoryDataRow<string, string, string>> Of(string path, ObjectSchema schema)
    {
        yield return new($"{path}.zz", "1", ReadReasons.UnknownField);
        foreach (var field in schema.Fields)
        {
            var at = $"{path}.{field.Name}";
            yield return new(at, $"~, {field.Name}: ~", ReadReasons.DuplicateField);
            if (field.Required) yield return new(at, "~", ReadReasons.Required);
            foreach (var (value, reason) in Wrong(field)) yield return new(at, value, reason);
            if (field.Kind is FieldKind.TextList or FieldKind.WordList) yield return new($"{at}[0]", "7", ReadReasons.WrongType);
            if (field.Kind == FieldKind.ObjectList) yield return new($"{at}[0]", "text", ReadReasons.WrongType);
            if (field.Kind is not (FieldKind.Object or FieldKind.ObjectList)) continue;

            foreach (var row in Of(field.Kind == FieldKind.Object ? at : $"{at}[0]", field.Object)) yield return row;
        }
    }

    private static IEnumerable<(string Value, string Reason)> Wrong(FieldSchema field) =>
    [
        (field.Kind is FieldKind.Object ? "text" : "{ a: 1 }", ReadReasons.WrongType),
        .. field.Kind switch
        {
            FieldKind.Bool => [("1", ReadReasons.WrongType), ("'true'", ReadReasons.WrongType)],
            FieldKind.Integer => [("1.5", ReadReasons.WrongType), ("'1'", ReadReasons.WrongType), .. Outside(field.Range!)],
            FieldKind.Text => [("7", ReadReasons.WrongType), .. TooLong(field.Bound!), .. field.Pattern is null ? [] : Odd()],
            FieldKind.Word => Odd(),
            FieldKind.Time or FieldKind.Size or FieldKind.Expires => [("5x", ReadReasons.InvalidValue), ("-1", ReadReasons.InvalidValue), ("true", ReadReasons.WrongType)],
            FieldKind.Port => [("70000", ReadReasons.OutOfRange), ("true", ReadReasons.WrongType), .. Odd()],
            FieldKind.TextList or FieldKind.WordList or FieldKind.ObjectList => [("text", ReadReasons.WrongType), .. TooMany(field.Bound!)],
            _ => Array.Empty<(string, string)>(),
        },
    ];

    private static (string, string)[] Outside(RangeAttribute range) =>
        [($"{range.Min - 1}", ReadReasons.OutOfRange), ($"{range.Max + 1}", ReadReasons.OutOfRange), ("99999999999999999999", ReadReasons.OutOfRange)];

    private static IEnumerable<(string, string)> TooLong(BoundAttribute bound) =>
        bound.Min == 0 ? [($"'{new string('a', bound.Max + 1)}'", ReadReasons.TooLong)]
            : [("''", ReadReasons.TooShort), ($"'{new string('a', bound.Max + 1)}'", ReadReasons.TooLong)];

    private static IEnumerable<(string, string)> TooMany(BoundAttribute bound)
    {
        var many = "[" + string.Join(',', Enumerable.Repeat("x", bound.Max + 1)) + "]";
        return bound.Min == 0 ? [(many, ReadReasons.TooMany)] : [("[]", ReadReasons.TooFew), (many, ReadReasons.TooMany)];
    }

    private static (string, string)[] Odd() => [("'\u00a7 '", ReadReasons.InvalidValue)];
}
