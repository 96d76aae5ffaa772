using System.Text.Json;
using StickyIngress.Core.Affinity;

namespace StickyIngress.Core.Tests.Affinity;

public sealed class AffinityWordsTests
{
    public static TheoryData<AffinityOutcome> Outcomes => [.. Enum.GetValues<AffinityOutcome>()];

    public static TheoryData<BreakReason> Reasons => [.. Enum.GetValues<BreakReason>().Where(reason => reason != BreakReason.None)];

    [Theory]
    [MemberData(nameof(Outcomes))]
    public void An_outcome_is_its_name_in_snake_case(AffinityOutcome outcome) =>
        Assert.Equal(JsonNamingPolicy.SnakeCaseLower.ConvertName(outcome.ToString()), AffinityWords.Of(outcome));

    [Theory]
    [MemberData(nameof(Reasons))]
    public void A_reason_is_its_name_in_snake_case(BreakReason reason) =>
        Assert.Equal(JsonNamingPolicy.SnakeCaseLower.ConvertName(reason.ToString()), AffinityWords.Of(reason));

    [Fact]
    public void No_reason_is_empty() => Assert.Equal("", AffinityWords.Of(BreakReason.None));
}
