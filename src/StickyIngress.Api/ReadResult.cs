namespace StickyIngress.Api;

/// <summary>What was read from one file or object, and what was wrong with it.</summary>
public sealed record ReadResult(IReadOnlyList<Resource> Resources, IReadOnlyList<ReadError> Errors);

/// <summary>One finding about one field, worded for the person who wrote it. Errors keep the document out, warnings don't.</summary>
/// <param name="Reason">One of <see cref="ReadReasons"/>.</param>
/// <param name="Resource">What the document is about, as far as that could be read; null where not even a kind and name could.</param>
/// <param name="Field">Path as kubectl prints it, such as <c>spec.servers[2].weight</c>; empty for the whole document.</param>
/// <param name="Line">From 1; 0 where there is no text to point at.</param>
public sealed record ReadError(
    ReadSeverity Severity, string Reason, ResourceRef? Resource, string Field, string Message, int Line, int Column);

public enum ReadSeverity
{
    Warning,
    Error,
}

/// <summary>Every reason that reading gives; stable words.</summary>
public static class ReadReasons
{
    /// <summary>The file (or JSON text) cannot be parsed, or is too large, too deep or expands too far.</summary>
    public const string InvalidYaml = nameof(InvalidYaml);
    public const string UnknownKind = nameof(UnknownKind);
    public const string UnknownField = nameof(UnknownField);
    public const string DuplicateField = nameof(DuplicateField);
    public const string DuplicateName = nameof(DuplicateName);
    public const string Required = nameof(Required);
    public const string WrongType = nameof(WrongType);
    public const string OutOfRange = nameof(OutOfRange);
    public const string InvalidValue = nameof(InvalidValue);
    public const string TooLong = nameof(TooLong);
    public const string TooShort = nameof(TooShort);
    public const string TooMany = nameof(TooMany);
    public const string TooFew = nameof(TooFew);

    /// <summary>Fields that are right by themselves but not together; see <see cref="SpecRules"/>.</summary>
    public const string InvalidCombination = nameof(InvalidCombination);
}
