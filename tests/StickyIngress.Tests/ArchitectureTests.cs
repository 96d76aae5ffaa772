using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace StickyIngress.Tests;

/// <summary>The table of docs/architecture.md: who may use whom, from the project files and from what the sources name.</summary>
public sealed class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> Table = new()
    {
        ["StickyIngress.Api"] = [],
        ["StickyIngress.Core"] = [],
        ["StickyIngress.Control"] = ["StickyIngress.Api", "StickyIngress.Core"],
        ["StickyIngress.Kubernetes"] = ["StickyIngress.Api", "StickyIngress.Control"],
        ["StickyIngress.Proxy"] = ["StickyIngress.Core"],
        ["StickyIngress.Sync"] = ["StickyIngress.Core"],
        ["StickyIngress"] = ["StickyIngress.Api", "StickyIngress.Core", "StickyIngress.Control", "StickyIngress.Kubernetes", "StickyIngress.Proxy", "StickyIngress.Sync"],
    };

    public static TheoryData<string> Projects => [.. Table.Keys];

    [Fact]
    public void There_are_seven_projects() => Assert.Equal(
        Table.Keys.Order(), Directory.GetFiles(Repository.PathOf("src"), "*.csproj", SearchOption.AllDirectories).Select(Path.GetFileNameWithoutExtension).Order());

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_refers_to_what_the_table_allows(string project)
    {
        var file = XDocument.Load(Repository.PathOf($"src/{project}/{project}.csproj"));

        var references = file.Descendants("ProjectReference").Select(one => Path.GetFileNameWithoutExtension(one.Attribute("Include")!.Value));

        Assert.Subset(Table[project].ToHashSet(), references.ToHashSet());
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_names_no_namespace_of_others(string project)
    {
        var others = Table.Keys.Where(name => name != project && name != "StickyIngress" && !Table[project].Contains(name)).Select(name => name + ".");

        var found = Sources(project).SelectMany(source => others.Where(other => Names(source, other)).Select(other => $"{source.Path}: {other}"));

        Assert.Empty(found);
    }

    [Theory]
    [InlineData("k8s", "StickyIngress.Kubernetes/")]
    [InlineData("Yarp", "StickyIngress.Proxy/Forwarding/Yarp/")]
    [InlineData("Microsoft.AspNetCore", "StickyIngress.Proxy/", "StickyIngress/")]
    [InlineData("Prometheus", "StickyIngress.Proxy/", "StickyIngress.Kubernetes/", "StickyIngress/")]
    [InlineData("YamlDotNet", "StickyIngress.Api/", "StickyIngress/Settings/")]
    [InlineData("StackExchange", "StickyIngress.Sync/")]
    [InlineData("System.CommandLine", "StickyIngress/")]
    public void A_library_is_named_only_where_it_belongs(string library, params string[] places)
    {
        var named = Table.Keys.SelectMany(Sources).Where(source => Uses(source, library)).Select(source => source.Path);

        Assert.All(named, path => Assert.Contains(places, place => path.StartsWith(place, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Balancing", "Routing")]
    [InlineData("Affinity", "Balancing")]
    [InlineData("Affinity", "Routing")]
    [InlineData("Routing", "Balancing")]
    [InlineData("Routing", "Affinity")]
    [InlineData("Sessions", "Balancing")]
    [InlineData("Sessions", "Routing")]
    [InlineData("Sharing", "Affinity")]
    [InlineData("Sharing", "Balancing")]
    [InlineData("Sharing", "Routing")]
    [InlineData("Upstreams", "Routing")]
    public void Inside_Core_this_does_not_know_that(string folder, string other)
    {
        var sources = Sources("StickyIngress.Core").Where(source => source.Path.StartsWith($"StickyIngress.Core/{folder}/", StringComparison.Ordinal)).ToArray();

        Assert.NotEmpty(sources);
        Assert.DoesNotContain(sources, source => Names(source, $"StickyIngress.Core.{other}"));
    }

    [Fact]
    public void The_table_in_the_docs_is_this_one()
    {
        var rows = File.ReadLines(Repository.PathOf("docs/architecture.md")).Where(line => line.StartsWith("| `StickyIngress", StringComparison.Ordinal))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .ToDictionary(cells => cells[1].Trim('`'), cells => cells[3]);

        var expected = Table.ToDictionary(row => row.Key, row => row.Value.Length switch
        {
            0 => "nothing of ours",
            6 => "all",
            _ => string.Join(", ", row.Value.Select(name => name["StickyIngress.".Length..])),
        });
        Assert.Equal(expected.OrderBy(row => row.Key), rows.OrderBy(row => row.Key));
    }

    private static bool Uses((string Path, string Text) source, string library) =>
        Regex.IsMatch(source.Text, $@"\busing (static )?(\w+ = )?{Regex.Escape(library)}\b", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture);

    private static bool Names((string Path, string Text) source, string name) => source.Text.Contains(name, StringComparison.Ordinal);

    /// <summary>Each file with its text, without what comments say.</summary>
    private static IEnumerable<(string Path, string Text)> Sources(string project)
    {
        var root = Repository.PathOf("src");
        return Directory.EnumerateFiles(Path.Combine(root, project), "*.cs", SearchOption.AllDirectories)
            .Select(file => (Path.GetRelativePath(root, file), string.Join('\n', File.ReadLines(file).Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal)))));
    }
}
