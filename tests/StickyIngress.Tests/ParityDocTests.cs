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
        var methods = Directory.EnumerateFiles(Repository.PathOf("tests"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => Methods().Matches(File.ReadAllText(file)).Select(match => match.Groups["name"].Value)).ToHashSet();

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

    [GeneratedRegex("^[A-Z][a-z]+(_[a-zA-Z0-9]+)+$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex SentenceName();

    [GeneratedRegex(@"public (async Task|void) (?<name>\w+)\(", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Methods();
}
