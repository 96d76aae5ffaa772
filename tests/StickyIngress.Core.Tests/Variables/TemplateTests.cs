using CsCheck;
using StickyIngress.Core.Tests.Fakes;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Tests.Variables;

public sealed class TemplateTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain", "plain")]
    [InlineData("$arg_a", "A")]
    [InlineData("${arg_a}", "A")]
    [InlineData("x${arg_a}y", "xAy")]
    [InlineData("$arg_a$arg_b", "AB")]
    [InlineData("$arg_a-$arg_none-$arg_b", "A--B")]
    [InlineData("$http_x_request_id", "id")]
    [InlineData("$cookie_sid", "s1")]
    public void Variables_are_replaced(string text, string expected)
    {
        var request = new FakeRequest
        {
            Args = { ["a"] = "A", ["b"] = "B" },
            Headers = { ["x-request-id"] = "id" },
            Cookie = "sid=s1",
        };

        Assert.Equal(expected, FakePeers.Template(text).Evaluate(request));
    }

    [Theory]
    [InlineData("$nothing", "unknown \"nothing\" variable")]
    [InlineData("$arg_", "unknown \"arg_\" variable")]
    [InlineData("a$", "position 2")]
    [InlineData("$-", "position 1")]
    [InlineData("${host", "position 1")]
    [InlineData("${}", "position 1")]
    public void What_is_no_variable_is_told(string text, string message)
    {
        Assert.False(Template.TryParse(text, null, out _, out var error));
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_is_never_read_as_a_template()
    {
        var request = new FakeRequest { Args = { ["a"] = "$cookie_sid ${host}" }, Cookie = "sid=secret" };

        Assert.Equal("<$cookie_sid ${host}>", FakePeers.Template("<$arg_a>").Evaluate(request));
    }

    [Fact]
    public void A_literal_allocates_nothing()
    {
        var (template, request) = (FakePeers.Template("plain"), new FakeRequest());
        template.Evaluate(request);
        var before = GC.GetAllocatedBytesForCurrentThread();

        template.Evaluate(request);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Parsing_never_throws_and_keeps_the_text() => Gen.String[Gen.Char["$ab_{}- "], 0, 12].Sample(text =>
    {
        if (Template.TryParse(text, null, out var template, out var error)) Assert.Equal(text, template.Text);
        else Assert.NotEmpty(error);
    });
}
