using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Tests.Upstreams;

public sealed class RequestHeaderTests
{
    [Theory]
    [InlineData("Content-Type")]
    [InlineData("content-md5")]
    [InlineData("Allow")]
    [InlineData("Expires")]
    [InlineData("last-modified")]
    [InlineData("Content-Security-Policy")]
    [InlineData("X-Request-Id")]
    [InlineData("Host")]
    [InlineData("Accept")]
    [InlineData("Content")]
    public void Knows_what_dotnet_keeps_with_the_body(string name)
    {
        using var message = new HttpRequestMessage();

        Assert.Equal(message.Headers.TryAddWithoutValidation(name, "x"), !new RequestHeader(name, Template.Empty).IsContent);
    }
}
