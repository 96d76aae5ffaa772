using System.Reflection;
using StickyIngress.Api.Schema;

namespace StickyIngress.Api.Tests;

/// <summary>One row for each rule over several fields: what it allows, what it refuses, where and with which words.</summary>
public sealed class SpecRulesTests
{
    private const string Server = SpecCases.Server;

    [Theory]
    [MemberData(nameof(SpecCases.Rules), MemberType = typeof(SpecCases))]
    public void A_rule_holds_in_code_and_in_the_CRD(string message, string field, string accepted, string refused)
    {
        Assert.Empty(Examples.ReadSpec(accepted).Errors);

        var error = Assert.Single(Examples.ReadSpec(refused).Errors);
        Assert.Equal((ReadReasons.InvalidCombination, field, message), (error.Reason, error.Field, error.Message));
        Assert.Contains(message, CelMessages());
    }

    [Theory]
    [MemberData(nameof(SpecCases.Fields), MemberType = typeof(SpecCases))]
    public void A_field_is_refused_by_its_name(string field, string accepted, string refused)
    {
        Assert.Empty(Examples.ReadSpec(accepted).Errors);
        Assert.All(Examples.ReadSpec(refused).Errors, error => Assert.StartsWith(field, error.Field, StringComparison.Ordinal));
        Assert.NotEmpty(Examples.ReadSpec(refused).Errors);
    }

    [Fact]
    public void Every_rule_of_the_CRD_has_a_row_here()
    {
        var rows = SpecCases.Rules.Select(row => row.Data.Item1);

        Assert.Empty(CelMessages().Except(rows));
    }

    [Theory]
    [InlineData("32767", false)]
    [InlineData("32768", true)]
    [InlineData("0032768", true)]
    [InlineData("99999", true)]
    [InlineData("100000", true)]
    [InlineData("31k", false)]
    [InlineData("32K", true)]
    [InlineData("0m", false)]
    [InlineData("1m", true)]
    [InlineData("1g", true)]
    public void The_pattern_for_the_smallest_zone_says_the_same_as_the_code(string size, bool accepted)
    {
        var rule = typeof(SessionZoneSpec).GetCustomAttribute<CelAttribute>()!.Rule;
        var pattern = rule.Split('\'')[1];

        var read = Examples.ReadSpec(Server + $"sticky: {{ learn: {{ create: [$a], lookup: [$a], zone: {{ name: z, size: '{size}' }} }} }}");

        Assert.Equal(accepted, read.Errors.Count == 0);
        Assert.Equal(accepted, System.Text.RegularExpressions.Regex.IsMatch(size, pattern, System.Text.RegularExpressions.RegexOptions.NonBacktracking));
    }

    private static IEnumerable<string> CelMessages() => typeof(StickyUpstreamSpec).Assembly.GetTypes()
        .SelectMany(t => t.GetCustomAttributes<CelAttribute>().Concat(t.GetProperties().SelectMany(p => p.GetCustomAttributes<CelAttribute>())))
        .Select(rule => rule.Message);
}
