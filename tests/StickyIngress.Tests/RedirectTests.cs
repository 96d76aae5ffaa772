using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>What <c>tls.redirect</c> does to plain http.</summary>
public sealed class RedirectTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Plain_http_is_sent_to_https_with_the_same_target()
    {
        await using var backend = await TestBackend.StartAsync("shop");
        using var manifests = With(
            Certificates.Secret("pair", "shop.test", TimeSpan.FromDays(1)), Upstream("shop", [backend.Address], "tls: [{ secretName: pair, redirect: true }]", "/"));
        await using var process = await StickyProcess.ServeAsync(manifests, "--https", $"127.0.0.1:{FreePort.Next()}", "--trusted-proxies", "127.0.0.1/32");

        var sent = await AskAsync(process, "GET /a%2Fb/../c?d=%20 HTTP/1.1\r\nHost: SHOP.test:8080");
        var posted = await AskAsync(process, "POST http://shop.test/x HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 0");
        var byProxy = await AskAsync(process, "GET / HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https");
        var other = await AskAsync(process, "GET / HTTP/1.1\r\nHost: other.test");

        Assert.StartsWith("HTTP/1.1 308 ", sent);
        Assert.Contains("\r\nLocation: https://shop.test/a%2Fb/../c?d=%20\r\n", sent, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 308 ", posted);
        Assert.Contains("\r\nLocation: https://shop.test/x\r\n", posted, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", byProxy);
        Assert.StartsWith("HTTP/1.1 200 ", other);
    }

    private static Task<string> AskAsync(StickyProcess process, string head) =>
        TestClient.ExchangeAsync(process.Http, $"{head}\r\nConnection: close\r\n\r\n", Stop);
}
