using Microsoft.AspNetCore.Http;
using StickyIngress.Core.Upstreams;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests;

/// <summary>Names of headers that peers could read as other names, by either engine.</summary>
public sealed class HeaderNamesTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("X-Other", true)]
    [InlineData("api_key", true)]
    [InlineData("X_Forwarded_For", false)] // CGI, WSGI and PHP see X-Forwarded-For
    [InlineData("x-real_ip", false)]
    [InlineData("Transfer_Encoding", false)]
    [InlineData("X_User", false)] // the route sets X-User
    [InlineData("Transfer-Encoding\v", false)]
    [InlineData("Content-Length\u001f", false)]
    [InlineData("a/b", false)]
    [InlineData("HTTP2-Settings", false)]
    public async Task A_header_is_passed_on(string name, bool passed)
    {
        await using var backend = await TestBackend.StartAsync(
            "a", context => context.Response.WriteAsync(string.Join('|', context.Request.Headers.Select(header => $"{header.Key}={header.Value}"))));
        foreach (var engine in new[] { PeerEngine.Auto, PeerEngine.Yarp })
        {
            await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint], ProxyUnderTest.Settings with
            {
                Engine = engine,
                SetHeaders = [new("X-User", TestTemplates.Parse("us"))],
            });

            var answer = await TestClient.ExchangeAsync(
                proxy.EndPoint, $"GET / HTTP/1.1\r\nHost: x\r\n{name}: evil\r\nConnection: close\r\n\r\n", Stop);

            Assert.StartsWith("HTTP/1.1 200", answer);
            Assert.Equal(passed, answer.Contains($"{name}=evil", StringComparison.OrdinalIgnoreCase));
            Assert.Contains("X-User=us", answer);
        }
    }
}
