using System.Text.RegularExpressions;
using StickyIngress.Api;

namespace StickyIngress.Tests;

/// <summary>What docs/nginx-parity.md names exists.</summary>
public sealed partial class ParityDocTests
{
    private static readonly string[] Words = [.. Quoted().Matches(File.ReadAllText(Repository.PathOf("docs/nginx-parity.md"))).Select(match => match.Groups["text"].Value)];

    [Fact]
    public void Every_test_named_exists()
    {
        var methods = TestsIn("tests");

        var named = Words.Where(word => SentenceName().IsMatch(word)).ToArray();

        Assert.NotEmpty(named);
        Assert.All(named, name => Assert.Contains(name, methods));
    }

    [Fact]
    public void Every_field_named_is_in_the_schema()
    {
        var named = Words.Where(word => word.StartsWith("spec.", StringComparison.Ordinal)).ToArray();

        Assert.NotEmpty(named);
        Assert.All(named, field => Assert.True(Exists(field), field));
    }

    /// <summary>A test of the importer shows how a directive is read, not what it does; where nothing else is claimed the row says so.</summary>
    [Fact]
    public void Every_row_names_a_test_that_shows_what_it_does()
    {
        var imports = TestsIn("tests/StickyIngress.Tests/Import");
        var rows = File.ReadAllLines(Repository.PathOf("docs/nginx-parity.md"))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| nginx |", StringComparison.Ordinal))
            .Where(line => !Excused().IsMatch(line)).ToArray();

        Assert.True(rows.Length > 60, $"{rows.Length} rows");
        Assert.All(rows, row => Assert.Contains(
            Quoted().Matches(row).Select(match => match.Groups["text"].Value), word => SentenceName().IsMatch(word) && !imports.Contains(word)));
    }

    private static HashSet<string> TestsIn(string folder) => Directory.EnumerateFiles(Repository.PathOf(folder), "*.cs", SearchOption.AllDirectories)
        .SelectMany(file => Methods().Matches(File.ReadAllText(file)).Select(match => match.Groups["name"].Value)).ToHashSet();

    private static bool Exists(string field)
    {
        var type = typeof(StickyUpstreamSpec);
        foreach (var name in field.Split('.').Skip(1))
        {
            var property = type.GetProperties().SingleOrDefault(known => known.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
            if (property is null) return false;

            type = property.PropertyType.IsGenericType ? property.PropertyType.GetGenericArguments()[0] : property.PropertyType;
        }

        return true;
    }

    [GeneratedRegex("`(?<text>[^`\n]+)`", RegexOptions.NonBacktracking)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"not done|\|[^|]*importe[dr]|see \[sessions", RegexOptions.NonBacktracking)]
    private static partial Regex Excused();

    [GeneratedRegex("^[A-Z][a-z]*(_[a-zA-Z0-9]+)*_[a-z]+(_[a-zA-Z0-9]+)*$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex SentenceName();

    [GeneratedRegex(@"public (async Task|void) (?<name>\w+)\(", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Methods();
}
