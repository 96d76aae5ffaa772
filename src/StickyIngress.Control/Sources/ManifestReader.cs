using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Sources;

/// <summary>Reads the text of a file; what is wrong with it becomes diagnostics with file and line.</summary>
internal static class ManifestReader
{
    public static ManifestReading Read(string text, string file)
    {
        var result = ResourceYaml.Read(text, file);
        return new([.. result.Resources], [.. result.Errors.Select(error => Diagnostic(error, file))]);
    }

    private static Diagnostic Diagnostic(ReadError error, string file) => new(
        error.Severity == ReadSeverity.Error ? Severity.Error : Severity.Warning,
        error.Reason, error.Resource, error.Field, error.Message, file, error.Line);
}
