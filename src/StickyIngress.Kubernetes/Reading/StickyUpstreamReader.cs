using System.Buffers;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Kubernetes.Reading;

/// <summary>Reads a StickyUpstream as strictly as from a file: what is found belongs to the person who wrote it.</summary>
internal static class StickyUpstreamReader
{
    public static ObjectReading<StickyUpstream> Read(ReadOnlySequence<byte> json, ResourceRef named)
    {
        var result = ResourceJson.ReadStickyUpstream(json.IsSingleSegment ? json.FirstSpan : json.ToArray());
        return new(result.Resources.OfType<StickyUpstream>().FirstOrDefault(), [.. result.Errors.Select(error => Finding(error, named))]);
    }

    private static Diagnostic Finding(ReadError error, ResourceRef named) => new(
        error.Severity == ReadSeverity.Error ? Severity.Error : Severity.Warning, error.Reason, named, error.Field, error.Message);
}
