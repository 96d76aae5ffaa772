using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Kubernetes.Reading;

/// <summary>What reading one object gave.</summary>
/// <param name="Found">Null when it could not be read; what it last was then stays.</param>
internal readonly record struct ObjectReading<T>(T? Found, ImmutableArray<Diagnostic> Findings)
    where T : Resource;

/// <summary>Reads a complete object.</summary>
internal delegate ObjectReading<T> ObjectRead<T>(ReadOnlySequence<byte> json, ResourceRef named, StringPool pool)
    where T : Resource;

/// <summary>Reads an object of which the API server promises the shape; the reader stands on its opening brace.</summary>
internal delegate T ShapedRead<out T>(ref Utf8JsonReader reader, StringPool pool);

internal static class ObjectReading
{
    /// <summary>For kinds of Kubernetes itself: a shape that is not the promised one is a finding and nothing more.</summary>
    public static ObjectRead<T> Of<T>(ShapedRead<T> read)
        where T : Resource => (json, named, pool) =>
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            return new(read(ref reader, pool), []);
        }
        catch (Exception e) when (Json.IsMalformed(e))
        {
            return new(null, [new(Severity.Error, Reasons.Unreadable, named, "", $"it cannot be read: {e.Message}")]);
        }
    };
}
