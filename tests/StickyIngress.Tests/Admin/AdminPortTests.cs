using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests.Admin;

/// <summary>How the admin port is asked.</summary>
public sealed class AdminPortTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/healthz", 200)]
    [InlineData("/readyz", 200)]
    [InlineData("/metrics", 200)]
    [InlineData("/api/v1/upstreams/default/nobody", 404)]
    [InlineData("/nothing", 404)]
    public async Task HEAD_is_GET_without_a_body(string path, int status)
    {
        using var manifests = With(Upstream("shop", ["127.0.0.1:80"]));
        await using var process = await StickyProcess.ServeAsync(manifests);

        using var request = new HttpRequestMessage(HttpMethod.Head, path);
        using var answer = await process.Admin.SendAsync(request, Stop);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("", await answer.Content.ReadAsStringAsync(Stop));
    }

    [Theory]
    [InlineData("POST", "/healthz", "GET")]
    [InlineData("DELETE", "/api/v1/upstreams/default/shop", "GET")]
    [InlineData("POST", "/api/v1/upstreams/default/shop/peers/127.0.0.1:80", "GET, PATCH")]
    public async Task Another_method_is_told_which_ones_there_are(string method, string path, string allowed)
    {
        using var manifests = With(Upstream("shop", ["127.0.0.1:80"]));
        await using var process = await StickyProcess.ServeAsync(manifests);

        using var request = new HttpRequestMessage(new(method), path);
        using var answer = await process.Admin.SendAsync(request, Stop);

        Assert.Equal(405, (int)answer.StatusCode);
        Assert.Equal(allowed, string.Join(", ", answer.Content.Headers.Allow));
        Assert.Contains($"{method} is not allowed here; {allowed} is", await answer.Content.ReadAsStringAsync(Stop));
    }
}
