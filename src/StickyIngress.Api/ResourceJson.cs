using System.Collections;
using System.Globalization;
using System.Text.Json;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Api.Reading;
using StickyIngress.Api.Schema;

namespace StickyIngress.Api;

/// <summary>Reads resources as the API server sends them, as strictly as from a file, and writes them so that they read back equal.</summary>
public static class ResourceJson
{
    /// <summary>
    /// Reads one StickyUpstream; kind and apiVersion may be absent, as in the items of a list. Unlike from a file, its status is read too.
    /// </summary>
    public static ReadResult ReadStickyUpstream(ReadOnlySpan<byte> utf8Json) => Read(utf8Json, (reader, root) => reader.ReadStickyUpstream(root));

    /// <summary>Reads one object of any kind that is used here, by its kind and apiVersion.</summary>
    public static ReadResult Read(ReadOnlySpan<byte> utf8Json) => Read(utf8Json, (reader, root) => reader.ReadDocument(root));

    /// <summary>One object without its status: metadata and what is used of the rest.</summary>
    public static void Write(Utf8JsonWriter writer, Resource resource)
    {
        var native = resource is not StickyUpstream;
        writer.WriteStartObject();
        writer.WriteString("apiVersion", native ? NativeReader.ApiVersionOf(resource.Kind) : StickyUpstream.ApiVersion);
        writer.WriteString("kind", resource.Kind);
        WriteField(writer, "metadata", MetadataOf(resource.Metadata, LabelsOf(resource)));
        var content = resource is StickyUpstream upstream ? new YamlMap { { "spec", SchemaValues.Of(upstream.Spec) } } : NativeValues.Of(resource);
        foreach (var (name, value) in content) WriteField(writer, name, value);
        writer.WriteEndObject();
    }

    internal static ReadResult Unreadable(SyntaxException e, string what) =>
        new([], [new ReadError(ReadSeverity.Error, ReadReasons.InvalidYaml, null, "", $"{what}: {e.Message}", e.Line, e.Column)]);

    private static ReadResult Read(ReadOnlySpan<byte> utf8Json, Action<ResourceReader, Node> read)
    {
        var findings = new Findings();
        var resources = new List<Resource>();
        try
        {
            var root = JsonNodes.Read(utf8Json);
            if (root.Kind == NodeKind.Map) read(new ResourceReader(findings, resources, null), root);
            else findings.WrongType(root, "an object");
            return new ReadResult(resources, findings.All);
        }
        catch (SyntaxException e)
        {
            return Unreadable(e, "the object is not valid JSON");
        }
    }

    /// <summary>A slice from a cluster keeps of its labels only the Service, as a field.</summary>
    private static IReadOnlyDictionary<string, string> LabelsOf(Resource resource) =>
        resource is EndpointSlice { ServiceName.Length: > 0 } slice && !slice.Metadata.Labels.ContainsKey(EndpointSlice.ServiceNameLabel)
            ? new Dictionary<string, string>(slice.Metadata.Labels) { [EndpointSlice.ServiceNameLabel] = slice.ServiceName }
            : resource.Metadata.Labels;

    private static YamlMap MetadataOf(ObjectMeta metadata, IReadOnlyDictionary<string, string> labels)
    {
        var map = new YamlMap { { "name", metadata.Name } };
        if (metadata.Namespace.Length > 0) map.Add("namespace", metadata.Namespace);
        if (metadata.Uid.Length > 0) map.Add("uid", metadata.Uid);
        if (metadata.ResourceVersion.Length > 0) map.Add("resourceVersion", metadata.ResourceVersion);
        if (metadata.Generation > 0) map.Add("generation", metadata.Generation);
        if (metadata.CreationTimestamp is { } created) map.Add("creationTimestamp", created.ToString("O", CultureInfo.InvariantCulture));
        if (labels.Count > 0) map.Add("labels", YamlMap.Of(labels));
        if (metadata.Annotations.Count > 0) map.Add("annotations", YamlMap.Of(metadata.Annotations));
        return map;
    }

    private static void WriteField(Utf8JsonWriter writer, string name, object value)
    {
        writer.WritePropertyName(name);
        WriteValue(writer, value);
    }

    private static void WriteValue(Utf8JsonWriter writer, object value)
    {
        switch (value)
        {
            case string text:
                writer.WriteStringValue(text);
                break;
            case bool flag:
                writer.WriteBooleanValue(flag);
                break;
            case YamlMap map:
                writer.WriteStartObject();
                foreach (var (name, inner) in map) WriteField(writer, name, inner);
                writer.WriteEndObject();
                break;
            case IEnumerable list:
                writer.WriteStartArray();
                foreach (var item in list) WriteValue(writer, item);
                writer.WriteEndArray();
                break;
            default:
                writer.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
        }
    }
}
