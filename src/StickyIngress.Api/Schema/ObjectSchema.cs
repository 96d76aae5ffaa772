using System.Collections.Concurrent;
using System.Reflection;
using System.Text.RegularExpressions;

namespace StickyIngress.Api.Schema;

/// <summary>
/// One record of the resource as its attributes describe it: the one source of the strict reader, the writer and the CRD.
/// Built once per type.
/// </summary>
internal sealed class ObjectSchema
{
    private static readonly ConcurrentDictionary<Type, ObjectSchema> Known = new();
    private readonly Dictionary<string, int> _byName;
    private readonly ConstructorInvoker _new;

    private ObjectSchema(Type type)
    {
        Type = type;
        _new = ConstructorInvoker.Create(type.GetConstructor(Type.EmptyTypes)!);
        Doc = type.GetCustomAttribute<DocAttribute>()?.Text ?? "";
        Rules = [.. type.GetCustomAttributes<CelAttribute>()];
        var fresh = New();
        Fields = [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.CanWrite)
            .OrderBy(p => p.MetadataToken)
            .Select(p => new FieldSchema(p, fresh))];
        _byName = new(Fields.Length, StringComparer.Ordinal);
        for (var i = 0; i < Fields.Length; i++) _byName.Add(Fields[i].Name, i);
    }

    public Type Type { get; }

    public string Doc { get; }

    public IReadOnlyList<CelAttribute> Rules { get; }

    /// <summary>In the order of declaration.</summary>
    public FieldSchema[] Fields { get; }

    public static ObjectSchema Of(Type type) => Known.GetOrAdd(type, static t => new ObjectSchema(t));

    public object New() => _new.Invoke();

    /// <summary>The field's place in <see cref="Fields"/>, or -1.</summary>
    public int IndexOf(string name) => _byName.TryGetValue(name, out var index) ? index : -1;
}

/// <summary>One field: its name in YAML, what it holds, and what is allowed in it.</summary>
internal sealed class FieldSchema
{
    // Much faster than the property itself, and every field of every resource goes through them.
    private readonly MethodInvoker _get;
    private readonly MethodInvoker _set;
    private readonly object _fresh;

    public FieldSchema(PropertyInfo property, object fresh)
    {
        _fresh = fresh;
        (_get, _set) = (MethodInvoker.Create(property.GetMethod!), MethodInvoker.Create(property.SetMethod!));
        Name = char.ToLowerInvariant(property.Name[0]) + property.Name[1..];
        Doc = property.GetCustomAttribute<DocAttribute>()?.Text ?? "";
        Required = property.IsDefined(typeof(RequiredAttribute));
        Range = property.GetCustomAttribute<RangeAttribute>();
        Bound = property.GetCustomAttribute<BoundAttribute>();
        Item = property.GetCustomAttribute<ItemAttribute>();
        Pattern = property.GetCustomAttribute<PatternAttribute>();
        MapKey = property.GetCustomAttribute<ListMapAttribute>()?.Key;
        Unit = property.GetCustomAttribute<TimeAttribute>()?.Unit;
        Rules = [.. property.GetCustomAttributes<CelAttribute>()];

        (Kind, ValueType) = KindOf(property, Unit);
        Words = ValueType.IsEnum ? Enum.GetNames(ValueType) : [];
        WordValues = [.. Words.Select(word => Enum.Parse(ValueType, word))];
        Regex = Compile(Pattern?.Regex);
        ItemRegex = Compile(Item?.Pattern);
    }

    public string Name { get; }

    public string Doc { get; }

    public bool Required { get; }

    public RangeAttribute? Range { get; }

    public BoundAttribute? Bound { get; }

    public ItemAttribute? Item { get; }

    public PatternAttribute? Pattern { get; }

    public string? MapKey { get; }

    public TimeUnit? Unit { get; }

    public IReadOnlyList<CelAttribute> Rules { get; }

    public FieldKind Kind { get; }

    /// <summary>The type of the value, or of a list's items.</summary>
    public Type ValueType { get; }

    /// <summary>The words of an enum, in the order of declaration.</summary>
    public string[] Words { get; }

    /// <summary>The values of <see cref="Words"/>.</summary>
    public object[] WordValues { get; }

    /// <summary>The value of a fresh instance; null where there is none, or where the field must be written.</summary>
    public object? Default => Required ? null : Get(_fresh);

    public Regex? Regex { get; }

    public Regex? ItemRegex { get; }

    public ObjectSchema Object => field ??= ObjectSchema.Of(ValueType);

    public object? Get(object owner) => _get.Invoke(owner);

    public void Set(object owner, object? value) => _set.Invoke(owner, value);

    /// <summary>Not RegexOptions.NonBacktracking: to make such a machine costs milliseconds, and a start makes one for many fields.</summary>
#pragma warning disable MA0009 // the patterns are ours, anchored, and go back over a short text once at most
    private static Regex? Compile(string? pattern) => pattern is null ? null : new Regex(pattern, RegexOptions.CultureInvariant);
#pragma warning restore MA0009

    private static (FieldKind Kind, Type Type) KindOf(PropertyInfo property, TimeUnit? unit)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (type.IsGenericType)
        {
            var item = type.GetGenericArguments()[0];
            return (item == typeof(string) ? FieldKind.TextList : item.IsEnum ? FieldKind.WordList : FieldKind.ObjectList, item);
        }

        var kind = type switch
        {
            _ when type == typeof(bool) => FieldKind.Bool,
            _ when type == typeof(string) => FieldKind.Text,
            _ when type.IsEnum => FieldKind.Word,
            _ when type == typeof(TimeSpan) && unit is not null => FieldKind.Time,
            _ when property.IsDefined(typeof(SizeAttribute)) => FieldKind.Size,
            _ when type == typeof(int) || type == typeof(long) => FieldKind.Integer,
            _ when type == typeof(IntOrString) => FieldKind.Port,
            _ when type == typeof(CookieExpires) => FieldKind.Expires,
            _ when type == typeof(DateTimeOffset) => FieldKind.Moment,
            _ when type.IsClass => FieldKind.Object,
            _ => throw new NotSupportedException($"{property.DeclaringType}.{property.Name} has a type that the schema does not know"),
        };
        return (kind, type);
    }
}

/// <summary>What a field holds.</summary>
internal enum FieldKind
{
    Bool,
    Integer,
    Text,
    Word,
    Time,
    Size,
    Port,
    Expires,
    Moment,
    Object,
    TextList,
    WordList,
    ObjectList,
}
