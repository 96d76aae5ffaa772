using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace StickyIngress.Settings;

/// <summary>The file that <c>--config</c> names: a YAML map from names of settings to a value, or to a list where a setting is repeatable.</summary>
internal static class ConfigFile
{
    /// <summary>What the file sets, in its order; each mistake is a sentence.</summary>
    /// <param name="origin">What named the file.</param>
    public static IReadOnlyList<(Setting Setting, IReadOnlyList<string> Values)> Read(string file, string origin, List<string> mistakes)
    {
        var stream = new YamlStream();
        try
        {
            using var text = File.OpenText(file);
            stream.Load(text);
        }
        catch (YamlException e)
        {
            mistakes.Add($"{file}: line {e.Start.Line}: {e.Message}");
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            mistakes.Add($"{origin}: cannot read {file}: {e.Message}");
            return [];
        }

        if (stream.Documents is []) return [];
        if (stream.Documents is [{ RootNode: YamlMappingNode settings }]) return [.. Read(file, settings, mistakes)];

        mistakes.Add($"{file} must be one map from names of settings to their values");
        return [];
    }

    private static IEnumerable<(Setting, IReadOnlyList<string>)> Read(string file, YamlMappingNode settings, List<string> mistakes)
    {
        var known = SettingList.All.Where(setting => setting.Name != SettingList.Config).ToDictionary(setting => setting.Name);
        foreach (var (key, value) in settings)
        {
            if (!known.TryGetValue((key as YamlScalarNode)?.Value ?? "", out var setting))
                mistakes.Add($"{file}: {key} is not a setting of a file; known are {string.Join(", ", known.Keys)}");
            else if (Values(value) is { } values)
                yield return (setting, values);
            else
                mistakes.Add($"{file}: {key} is {value}; it must be a value{(setting.Many ? " or a list of values" : "")}");
        }
    }

    /// <summary>Null: neither a value nor a list of values.</summary>
    private static string[]? Values(YamlNode node)
    {
        var values = node is YamlSequenceNode list ? [.. list] : new[] { node };
        return values.All(value => value is YamlScalarNode { Value.Length: > 0 })
            ? [.. values.Select(value => ((YamlScalarNode)value).Value!)]
            : null;
    }
}
