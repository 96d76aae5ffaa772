using System.Collections.Immutable;

namespace StickyIngress.Import;

/// <summary>One directive of an nginx configuration: its name, its arguments without their quotes, and where it stands.</summary>
/// <param name="Block">What is between the braces; null for a directive that ends with a semicolon.</param>
internal sealed record NginxDirective(
    string Name, ImmutableArray<string> Arguments, ImmutableArray<NginxDirective>? Block, string File, int Line)
{
    public ImmutableArray<NginxDirective> Inside => Block ?? [];

    /// <summary>The first argument; empty where there is none.</summary>
    public string First => Arguments.IsEmpty ? "" : Arguments[0];

    public override string ToString() =>
        string.Join(' ', [Name, .. Arguments.Select(word => word.Length == 0 || word.Any(char.IsWhiteSpace) ? $"\"{word}\"" : word)]);
}
