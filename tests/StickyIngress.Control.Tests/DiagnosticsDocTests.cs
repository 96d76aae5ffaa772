using System.Reflection;
using System.Runtime.CompilerServices;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Tests;

public sealed class DiagnosticsDocTests
{
    [Fact]
    public void Every_reason_has_its_section_and_every_section_its_reason()
    {
        var sections = File.ReadLines(Path.Combine(Root(), "docs", "diagnostics.md"))
            .Where(line => line.StartsWith("### ", StringComparison.Ordinal)).Select(line => line[4..].Trim()).ToArray();

        Assert.Equal(Words(typeof(Reasons)).Concat(Words(typeof(ReadReasons))).Append("WatchForbidden").Order(), sections.Order());
    }

    [Theory]
    [InlineData(typeof(Reasons))]
    [InlineData(typeof(ReadReasons))]
    public void A_reason_is_its_own_name(Type reasons) =>
        Assert.All(Constants(reasons), field => Assert.Equal(field.Name, field.GetRawConstantValue()));

    private static IEnumerable<string> Words(Type reasons) => Constants(reasons).Select(field => field.Name);

    private static IEnumerable<FieldInfo> Constants(Type reasons) => reasons.GetFields(BindingFlags.Public | BindingFlags.Static).Where(field => field.IsLiteral);

    private static string Root([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));
}
