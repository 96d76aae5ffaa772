namespace StickyIngress.Api.Schema;

/// <summary>What a field means, worded for <c>kubectl explain</c>; it becomes the description in the CRD.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
public sealed class DocAttribute(string text) : Attribute
{
    public string Text { get; } = text;
}

/// <summary>The field must be written.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RequiredAttribute : Attribute;

/// <summary>Smallest and largest number allowed; for a <see cref="TimeSpan"/> in milliseconds, for a size in bytes.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RangeAttribute(long min, long max) : Attribute
{
    public long Min { get; } = min;

    public long Max { get; } = max;
}

/// <summary>Fewest and most characters of a string, or items of a list (of a map: keys).</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class BoundAttribute(int min, int max) : Attribute
{
    public int Min { get; } = min;

    public int Max { get; } = max;
}

/// <summary>Most characters of each string of a list, and the pattern that each must match, if any.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ItemAttribute(int max, string? pattern = null) : Attribute
{
    public int Max { get; } = max;

    public string? Pattern { get; } = pattern;
}

/// <summary>A regular expression (RE2 syntax, anchored) that the string must match, and that rule in words.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PatternAttribute(string regex, string allowed) : Attribute
{
    public string Regex { get; } = regex;

    public string Allowed { get; } = allowed;
}

/// <summary>The list is a map by this field of its items: no two items may have the same value.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ListMapAttribute(string key) : Attribute
{
    public string Key { get; } = key;
}

/// <summary>The <see cref="TimeSpan"/> is written as nginx writes time; whole seconds allow <c>y</c> and <c>M</c>, milliseconds allow <c>ms</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class TimeAttribute(TimeUnit unit) : Attribute
{
    public TimeUnit Unit { get; } = unit;
}

/// <summary>The <see cref="long"/> is written as nginx writes sizes: <c>64k</c>, <c>1m</c>, and here also <c>1g</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SizeAttribute : Attribute;

/// <summary>A CEL rule of the CRD for what one field's schema cannot say, and the message that its breach gives.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property, AllowMultiple = true)]
public sealed class CelAttribute(string rule, string message) : Attribute
{
    public string Rule { get; } = rule;

    public string Message { get; } = message;
}

/// <summary>The two grains in which nginx keeps time, see <see cref="TimeAttribute"/>.</summary>
public enum TimeUnit
{
    Seconds,
    Milliseconds,
}
