using YamlDotNet.RepresentationModel;

namespace StickyIngress.Api.Tests;

public sealed class CrdWriterTests
{
    [Fact]
    public void The_file_is_what_the_code_generates() => Assert.Equal(CrdWriter.Write(), File.ReadAllText(Path.Combine(Root(), "crds", "stickyingress.io_stickyupstreams.yaml")));

    [Fact]
    public void Every_string_and_list_is_bounded_and_every_field_is_described()
    {
        foreach (var (path, schema) in Fields(Schema(), "spec"))
        {
            Assert.True(Has(schema, "description") || path.EndsWith("[]", StringComparison.Ordinal), $"{path} has no description");
            if (Text(schema, "type") == "array") Assert.True(Has(schema, "maxItems"), $"{path} has no maxItems");
            if (Text(schema, "type") == "string" && Text(schema, "format") != "date-time")
                Assert.True(Has(schema, "maxLength") || Has(schema, "enum"), $"{path} has no maxLength");
            if (Has(schema, "x-kubernetes-int-or-string")) Assert.True(Has(schema, "maxLength"), $"{path} has no maxLength");
        }
    }

    [Theory]
    [InlineData("failTimeout", "default", "10s")]
    [InlineData("weight", "default", "1")]
    [InlineData("weight", "maximum", "65535")]
    [InlineData("backup", "default", "false")]
    [InlineData("failTimeout", "x-kubernetes-int-or-string", "true")]
    public void A_server_field_has_what_its_attributes_say(string field, string word, string expected)
    {
        var servers = Schema()["properties"]["servers"];

        Assert.Equal("name", servers["x-kubernetes-list-map-keys"][0].ToString());
        Assert.Equal(expected, servers["items"]["properties"][field][word].ToString());
    }

    [Fact]
    public void A_field_that_must_be_written_has_no_default() => Assert.DoesNotContain(
        Fields(Schema(), "spec"),
        field => Has(field.Schema, "required") && field.Schema["required"] is YamlSequenceNode names
            && names.Any(name => Has((YamlMappingNode)field.Schema["properties"][name], "default")));

    private static YamlMappingNode Schema()
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(CrdWriter.Write()));
        return (YamlMappingNode)stream.Documents[0].RootNode["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    }

    private static IEnumerable<(string Path, YamlMappingNode Schema)> Fields(YamlMappingNode schema, string path)
    {
        yield return (path, schema);

        var below = Has(schema, "properties")
            ? ((YamlMappingNode)schema["properties"]).Select(p => ($"{path}.{p.Key}", (YamlMappingNode)p.Value))
            : Has(schema, "items") ? [($"{path}[]", (YamlMappingNode)schema["items"])] : [];
        foreach (var (name, inner) in below)
        {
            foreach (var field in Fields(inner, name)) yield return field;
        }
    }

    private static bool Has(YamlMappingNode node, string key) => node.Children.ContainsKey(new YamlScalarNode(key));

    private static string Text(YamlMappingNode node, string key) => Has(node, key) ? node[key].ToString() : "";

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "StickyIngress.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
