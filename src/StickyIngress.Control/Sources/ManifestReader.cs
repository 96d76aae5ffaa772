using System.Text;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Sources;

/// <summary>Reads the content of a file; what is wrong with it becomes diagnostics with file and line.</summary>
internal static class ManifestReader
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static ManifestReading Read(ReadOnlySpan<byte> content, string file)
    {
        try
        {
            return Read(Utf8.GetString(content), file);
        }
        catch (DecoderFallbackException e)
        {
            var line = content[..e.Index].Count((byte)'\n') + 1;
            var message = $"the file is not valid YAML: line {line}: this is not UTF-8";
            return new([], [new(Severity.Error, ReadReasons.InvalidYaml, null, "", message, file, line)]);
        }
    }

    public static ManifestReading Read(string text, string file)
    {
        var result = ResourceYaml.Read(text, file);
        return new([.. result.Resources], [.. result.Errors.Select(error => Diagnostic(error, file))]);
    }

    private static Diagnostic Diagnostic(ReadError error, string file) => new(
        error.Severity == ReadSeverity.Error ? Severity.Error : Severity.Warning,
        error.Reason, error.Resource, error.Field, error.Message, file, error.Line);
}
