using StickyIngress.Api;

namespace StickyIngress.Control.Diagnostics;

/// <summary>One finding about one field of one resource, worded for the person who wrote it.</summary>
/// <param name="Reason">Stable CamelCase word: the condition reason, the metric label and the anchor in docs/diagnostics.md.</param>
/// <param name="Resource">What it is about; null for a file that could not be read at all.</param>
/// <param name="Field">Path as kubectl prints it, such as <c>spec.servers[2].weight</c>; empty for the whole resource.</param>
/// <param name="File">The file; null in a cluster.</param>
/// <param name="Line">Line in the file, from 1; 0 where it is not known.</param>
public sealed record Diagnostic(
    Severity Severity, string Reason, ResourceRef? Resource, string Field, string Message, string? File = null, int Line = 0)
{
    /// <summary><c>FILE: namespace/name: field: message [Reason]</c>, without the parts that are empty.</summary>
    public override string ToString()
    {
        string?[] parts = [File, Resource is { } named ? $"{named.Namespace}/{named.Name}" : null, Field, $"{Message} [{Reason}]"];
        return Printable(string.Join(": ", parts.Where(part => !string.IsNullOrEmpty(part))));
    }

    /// <summary>One line, whatever a value holds, and nothing that a terminal obeys.</summary>
    private static string Printable(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString())) : text;
}

public enum Severity
{
    /// <summary>Works, but is likely not what was meant.</summary>
    Warning,

    /// <summary>The resource is refused; what it last was keeps serving.</summary>
    Error,
}
