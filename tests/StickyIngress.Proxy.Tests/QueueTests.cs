using System.Net;
using Microsoft.AspNetCore.Http;
using StickyIngress.Core.Upstreams;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests;

/// <summary>Requests through the real port that find their only peer full.</summary>
public sealed class QueueTests
{
    private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_waits_for_the_one_before_and_is_served()
    {
        await using var backend = await TestBackend.StartAsync("a", AnswerWhenToldAsync);
        await using var proxy = await StartAsync(backend, new(1, TimeSpan.FromMinutes(1)));
        proxy.Log.Format = TestTemplates.Parse("$status $upstream_queue_time");
        var (first, second) = await BeginTwoAsync(proxy, backend, Stop);

        Assert.Equal(HttpStatusCode.BadGateway, (await proxy.Client.GetAsync("/", Stop)).StatusCode);
        _answer.SetResult();

        Assert.Equal("a", await (await first).Content.ReadAsStringAsync(Stop));
        Assert.Equal("a", await (await second).Content.ReadAsStringAsync(Stop));
        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 3, "all are logged", Stop);
        Assert.Contains("200 -", proxy.Log.Lines);
        Assert.Contains(proxy.Log.Lines, line => line.StartsWith("200 0.", StringComparison.Ordinal) || line.StartsWith("200 1", StringComparison.Ordinal));
        Assert.Equal(1, await proxy.MetricAsync("stickyingress_upstream_queue_rejected_total{namespace=\"test\",upstream=\"u\",reason=\"full\"}"));
        AssertEmpty(proxy);
    }

    [Fact]
    public async Task A_request_that_waited_too_long_gets_502()
    {
        await using var backend = await TestBackend.StartAsync("a", AnswerWhenToldAsync);
        await using var proxy = await StartAsync(backend, new(1, TimeSpan.FromMilliseconds(200)));

        var first = proxy.Client.GetAsync("/", Stop);
        await Eventually.HoldsAsync(() => backend.Requests.Count == 1, "the peer is full", Stop);
        Assert.Equal(HttpStatusCode.BadGateway, (await proxy.Client.GetAsync("/", Stop)).StatusCode);
        _answer.SetResult();
        await first;

        Assert.Equal(1, await proxy.MetricAsync("stickyingress_upstream_queue_rejected_total{namespace=\"test\",upstream=\"u\",reason=\"timeout\"}"));
        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 2, "both are logged", Stop);
        Assert.Contains("502 [u] [502]", proxy.Log.Lines);
        AssertEmpty(proxy);
    }

    [Fact]
    public async Task A_client_that_leaves_gives_its_place_up()
    {
        await using var backend = await TestBackend.StartAsync("a", AnswerWhenToldAsync);
        await using var proxy = await StartAsync(backend, new(1, TimeSpan.FromMinutes(1)));
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var (first, second) = await BeginTwoAsync(proxy, backend, leaving.Token);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await Eventually.HoldsAsync(() => proxy.Upstream.State.Queue.Length == 0, "the place is free", Stop);
        _answer.SetResult();
        await first;

        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 2, "both are logged", Stop);
        Assert.Contains("499 [u] [-]", proxy.Log.Lines);
        Assert.Equal(1, await proxy.MetricAsync("stickyingress_upstream_queue_rejected_total{namespace=\"test\",upstream=\"u\",reason=\"client_gone\"}"));
        AssertEmpty(proxy);
    }

    private static Task<ProxyUnderTest> StartAsync(TestBackend backend, QueueSettings queue) =>
        ProxyUnderTest.StartAsync([backend.EndPoint], configure: OneAtATime, queue: queue);

    private static Peer OneAtATime(EndPoint endPoint, UpstreamState state, int index)
    {
        var peer = ProxyUnderTest.MakePeer(endPoint, state, index);
        return new()
        {
            Index = index,
            Id = peer.Id,
            Name = peer.Name,
            Server = peer.Server,
            Sid = peer.Sid,
            Label = peer.Label,
            EndPoint = endPoint,
            State = peer.State,
            MaxConns = 1,
        };
    }

    private static async Task<(Task<HttpResponseMessage> First, Task<HttpResponseMessage> Second)> BeginTwoAsync(
        ProxyUnderTest proxy, TestBackend backend, CancellationToken second)
    {
        var first = proxy.Client.GetAsync("/", Stop);
        await Eventually.HoldsAsync(() => backend.Requests.Count == 1, "the peer is full", Stop);
        var waiting = proxy.Client.GetAsync("/", second);
        await Eventually.HoldsAsync(() => proxy.Upstream.State.Queue.Length == 1, "the second waits", Stop);
        return (first, waiting);
    }

    private static void AssertEmpty(ProxyUnderTest proxy)
    {
        Assert.Equal(0, proxy.Upstream.State.Queue.Length);
        proxy.AssertNothingHeld();
    }

    private async Task AnswerWhenToldAsync(HttpContext context)
    {
        await _answer.Task.WaitAsync(context.RequestAborted);
        await context.Response.WriteAsync("a");
    }
}
