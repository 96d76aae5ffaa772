using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace StickyIngress.Tests.Chart;

/// <summary>The objects of a rendered text, in order.</summary>
internal sealed class Rendered(IReadOnlyList<JsonObject> objects)
{
    public IReadOnlyList<JsonObject> Objects => objects;

    /// <summary>Kind and name of each.</summary>
    public IEnumerable<string> Names => objects.Select(one => $"{one["kind"]}/{one["metadata"]!["name"]}");

    public JsonObject Workload => Kind("Deployment").Concat(Kind("DaemonSet")).Single();

    public JsonNode Pod => Workload["spec"]!["template"]!["spec"]!;

    public JsonNode Container => Pod["containers"]!.AsArray().Single()!;

    public IEnumerable<string> Arguments => Container["args"]!.AsArray().Select(argument => (string)argument!);

    public static async Task<Rendered> ChartAsync(params string[] more) => Parse(await Helm.TemplateAsync(more));

    public static Task<Rendered> CaseAsync(string name, params string[] more) =>
        ChartAsync(["--values", Path.Combine(Helm.Chart, $"ci/{name}-values.yaml"), .. more]);

    public static Rendered Parse(string text)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(text));
        return new([.. yaml.Documents.Select(document => Json(document.RootNode)).OfType<JsonObject>()]);
    }

    public IEnumerable<JsonObject> Kind(string kind) => objects.Where(one => (string?)one["kind"] == kind);

    public JsonObject One(string kind, string name) => Kind(kind).Single(one => (string?)one["metadata"]!["name"] == name);

    /// <summary>As Kubernetes reads YAML: what is quoted is text, the rest is what JSON would make of it.</summary>
    private static JsonNode? Json(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(child => KeyValuePair.Create(((YamlScalarNode)child.Key).Value!, Json(child.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(Json)]),
        YamlScalarNode { Style: ScalarStyle.Plain } plain => Plain(plain.Value!),
        _ => JsonValue.Create(((YamlScalarNode)node).Value),
    };

    private static JsonValue? Plain(string text) => text switch
    {
        "" or "~" or "null" => null,
        "true" or "false" => JsonValue.Create(text == "true"),
        _ when long.TryParse(text, out var number) => JsonValue.Create(number),
        _ => JsonValue.Create(text),
    };
}
