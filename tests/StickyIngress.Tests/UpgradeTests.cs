using System.Net;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>
/// A rolling update of the proxy itself, as the chart's Deployment does it: a new replica is ready before an old one stops, and the old one is
/// told to stop while new connections still come to it, since a Service is slower than a signal.
/// </summary>
public sealed class UpgradeTests : IDisposable
{
    private readonly Manifests _manifests = With();

    public void Dispose() => _manifests.Dispose();

    [Theory]
    [InlineData("sticky: { cookie: { name: srv } }")]
    [InlineData("sticky: { cookie: { name: srv, value: NginxSid, issue: Always } }")]
    public async Task No_request_fails_and_no_browser_loses_its_server(string sticky)
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        _manifests.Write("upstreams.yaml", Upstream("shop", servers.Addresses, sticky));
        await File.WriteAllTextAsync(_manifests.PathOf("keys.txt"), "one key for all the replicas\n", TestContext.Current.CancellationToken);
        await using var first = await ReplicaAsync();
        await using var second = await ReplicaAsync();
        await using var service = TcpBalancer.Before(first.Http, second.Http);
        await using var browsers = Browsers.On(service.Address, "/shop", count: 16);
        await browsers.AnswersAsync(200);

        await using var third = await ReplaceAsync(first, service, browsers, second.Http);
        await using var fourth = await ReplaceAsync(second, service, browsers, third.Http);
        await browsers.EndAsync();

        Assert.Empty(browsers.Failures);
        Assert.Empty(browsers.Moves);
    }

    private Task<StickyProcess> ReplicaAsync() =>
        StickyProcess.ServeAsync(_manifests, "--affinity-keys", _manifests.PathOf("keys.txt"), "--shutdown-grace", "2s");

    /// <summary>A new replica comes, the old one goes; the other stays.</summary>
    private async Task<StickyProcess> ReplaceAsync(StickyProcess old, TcpBalancer service, Browsers browsers, IPEndPoint other)
    {
        var next = await ReplicaAsync();
        service.SetTargets(old.Http, other, next.Http);
        await browsers.AnswersAsync(200);

        old.Signal("TERM");
        await old.LogsAsync("Stopping");
        await browsers.AnswersAsync(100);
        service.SetTargets(other, next.Http);
        await browsers.AnswersAsync(200);

        Assert.Equal(0, await old.ExitAsync());
        await browsers.AnswersAsync(200);
        return next;
    }
}
