using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Tests.Upstreams;

public sealed class HealthMatchTests
{
    [Theory]
    [InlineData("200-399", 200, true)]
    [InlineData("200-399", 399, true)]
    [InlineData("200-399", 400, false)]
    [InlineData("200,301-303", 302, true)]
    [InlineData("200,301-303", 304, false)]
    [InlineData("! 500,502-504", 500, false)]
    [InlineData("!500,502-504", 503, false)]
    [InlineData("! 500,502-504", 501, true)]
    public void Statuses_are_in_a_list_or_negated_not_in_it(string list, int status, bool holds)
    {
        Assert.True(StatusMatch.TryParse(list.Split(','), out var match, out _));

        Assert.Equal(holds, match.Holds(status));
    }

    [Theory]
    [InlineData("X-Ready", "", false)]
    [InlineData("X-Ready", "no", true)]
    [InlineData("! X-Ready", "", true)]
    [InlineData("!X-Ready", "no", false)]
    [InlineData("X-Ready = yes", "yes", true)]
    [InlineData("X-Ready = yes", "yes!", false)]
    [InlineData("X-Ready = yes sir", "yes sir", true)]
    [InlineData("X-Ready = yes", "no|yes", true)]
    [InlineData("X-Ready != yes", "no", true)]
    [InlineData("X-Ready != yes", "no|yes", false)]
    [InlineData("X-Ready != yes", "", true)]
    [InlineData("X-Ready ~ ^y", "yes", true)]
    [InlineData("X-Ready ~ ^y", "no", false)]
    [InlineData("X-Ready ~ ^y", "", false)]
    [InlineData("X-Ready !~ ^y", "yes", false)]
    [InlineData("X-Ready !~ ^y", "no", true)]
    public void A_header_is_there_or_equal_or_like(string test, string values, bool holds)
    {
        Assert.True(HeaderMatch.TryParse(test, out var match, out _));

        Assert.Equal("X-Ready", match.Name);
        Assert.Equal(holds, match.Holds(values.Split('|', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Theory]
    [InlineData("~ up", "all up", true)]
    [InlineData("~ up", "down", false)]
    [InlineData("!~ error", "fine", true)]
    [InlineData("!~ error", "an error", false)]
    public void A_body_is_like_a_pattern_or_not(string test, string body, bool holds)
    {
        Assert.True(BodyMatch.TryParse(test, out var match, out _));

        Assert.Equal(holds, match.Holds(body));
    }

    [Theory]
    [InlineData("status", "200,! 500", "\"! 500\" is not a status")]
    [InlineData("status", "399-200", "\"399-200\" is not a status")]
    [InlineData("status", "99", "\"99\" is not a status")]
    [InlineData("header", "A B C", "\"A B C\" is none of NAME")]
    [InlineData("header", "A =", "\"A =\" is none of NAME")]
    [InlineData("header", "", "\"\" is none of NAME")]
    [InlineData("header", "a:b", "\"a:b\" is none of NAME")]
    [InlineData("header", "A ~ (", "\"(\" is not a pattern")]
    [InlineData("header", "A ~ (?=b)", "\"(?=b)\" has a look-around")]
    [InlineData("body", "error", "\"error\" is neither ~ PATTERN")]
    [InlineData("body", "~", "\"~\" is neither ~ PATTERN")]
    [InlineData("body", "~ [", "\"[\" is not a pattern")]
    public void A_test_in_no_form_is_a_message(string what, string text, string message)
    {
        string? error;
        var read = what switch
        {
            "status" => StatusMatch.TryParse(text.Split(','), out _, out error),
            "header" => HeaderMatch.TryParse(text, out _, out error),
            _ => BodyMatch.TryParse(text, out _, out error),
        };

        Assert.False(read);
        Assert.StartsWith(message, error);
    }
}
