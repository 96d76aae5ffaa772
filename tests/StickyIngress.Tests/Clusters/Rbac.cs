using YamlDotNet.RepresentationModel;

namespace StickyIngress.Tests.Clusters;

/// <summary>The permissions that a manifest grants, each as one line.</summary>
internal static class Rbac
{
    public static string Use(string verb, string group, string resource) => $"{verb} {resource} of \"{group}\"";

    public static string[] Uses(string manifest)
    {
        var yaml = new YamlStream();
        using var text = File.OpenText(Repository.PathOf($"manifests/{manifest}"));
        yaml.Load(text);
        var rules = yaml.Documents.Select(document => (YamlMappingNode)document.RootNode)
            .Where(root => root.Children.ContainsKey("rules")).SelectMany(root => (YamlSequenceNode)root["rules"]);
        return
        [
            .. from rule in rules
               from @group in Words(rule["apiGroups"])
               from resource in Words(rule["resources"])
               from verb in Words(rule["verbs"])
               select Use(verb, @group, resource),
        ];
    }

    private static IEnumerable<string> Words(YamlNode list) => ((YamlSequenceNode)list).Select(item => ((YamlScalarNode)item).Value!);
}
