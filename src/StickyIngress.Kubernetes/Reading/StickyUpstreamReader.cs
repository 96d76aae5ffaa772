using System.Text.Json;
using StickyIngress.Api;

namespace StickyIngress.Kubernetes.Reading;

internal static class StickyUpstreamReader
{
    public static StickyUpstream Read(ref Utf8JsonReader reader, StringPool pool)
    {
        var up = new StickyUpstream { Metadata = new() { Name = "" }, Spec = new() };
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("metadata"u8)) up = up with { Metadata = Metadata.Read(ref reader, pool, annotated: true) };
            else reader.Skip();
        }
        return up;
    }
}
