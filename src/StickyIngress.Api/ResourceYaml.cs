using StickyIngress.Api.Reading;
using StickyIngress.Api.Schema;

namespace StickyIngress.Api;

/// <summary>
/// Reads resources from YAML strictly and writes them. Nothing throws for a user's mistake: each is a <see cref="ReadError"/>.
/// </summary>
public static class ResourceYaml
{
    /// <summary>
    /// Reads all documents of one file. A document with an error gives no resource, the others do; a text that is no YAML
    /// gives none at all.
    /// </summary>
    /// <param name="file">Becomes <see cref="Resource.File"/>.</param>
    public static ReadResult Read(string text, string file)
    {
        var findings = new Findings();
        var resources = new List<Resource>();
        if (text.Length > YamlNodes.MaxCharacters)
        {
            findings.Error(ReadReasons.InvalidYaml, "", $"the file has {text.Length} characters; at most {YamlNodes.MaxCharacters} are read", 1, 1);
            return new ReadResult([], findings.All);
        }

        try
        {
            var reader = new ResourceReader(findings, resources, file);
            foreach (var document in Documents(text.StartsWith('\uFEFF') ? text[1..] : text)) reader.ReadDocument(document);
            return new ReadResult(resources, findings.All);
        }
        catch (SyntaxException e)
        {
            return ResourceJson.Unreadable(e, $"the file is not valid YAML: line {e.Line}");
        }
    }

    /// <summary>By the quick reader as far as it goes, and then by the complete one.</summary>
    private static IEnumerable<Node> Documents(string text)
    {
        var plain = new PlainYaml(text);
        var read = 0;
        for (; plain.Next() is { } document; read++) yield return document;
        if (plain.IsPlain) yield break;

        foreach (var document in new YamlNodes(text).All().Skip(read)) yield return document;
    }

    /// <summary>
    /// The resource as YAML that reads back equal: name, labels, annotations and what differs from the defaults, in the
    /// order of the schema.
    /// </summary>
    public static string Write(StickyUpstream resource)
    {
        var metadata = new YamlMap { { "name", resource.Metadata.Name }, { "namespace", resource.Metadata.Namespace } };
        if (resource.Metadata.Labels.Count > 0) metadata.Add("labels", YamlMap.Of(resource.Metadata.Labels));
        if (resource.Metadata.Annotations.Count > 0) metadata.Add("annotations", YamlMap.Of(resource.Metadata.Annotations));

        return YamlText.Write(new YamlMap
        {
            { "apiVersion", StickyUpstream.ApiVersion },
            { "kind", StickyUpstream.KindName },
            { "metadata", metadata },
            { "spec", SchemaValues.Of(resource.Spec) },
        });
    }
}
