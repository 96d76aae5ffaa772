using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Prometheus;
using StickyIngress.Core;
using StickyIngress.Core.Balancing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Health;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests;

/// <summary>Active checks of real backends.</summary>
public sealed class HealthCheckTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static HealthCheckSettings Check { get; } = new()
    {
        Source = "a check",
        Path = "/ready?full",
        Port = 0,
        Host = null,
        Proxy = ProxyUnderTest.Settings,
        Interval = TimeSpan.FromSeconds(5),
        Jitter = TimeSpan.Zero,
        Timeout = TimeSpan.FromSeconds(5),
        Fails = 1,
        Passes = 1,
        Mandatory = false,
        Persistent = false,
        Match = new(new(Negated: false, [(200, 399)]), [], null),
    };

    [Fact]
    public async Task A_backend_that_turns_bad_gets_nothing_until_it_is_good_again()
    {
        var status = StatusCodes.Status200OK;
        await using var backend = await TestBackend.StartAsync("a", context => AnswerAsync(context, Volatile.Read(ref status)));
        await using var proxy = await ProxyUnderTest.StartAsync(
            [backend.EndPoint], check: Check with { Interval = TimeSpan.FromMilliseconds(20) });
        var peer = proxy.Upstream.Primaries.Peers[0];

        Volatile.Write(ref status, StatusCodes.Status500InternalServerError);
        await Eventually.HoldsAsync(() => peer.State.Unhealthy, "the peer is unhealthy", Stop);
        Assert.Equal(HttpStatusCode.BadGateway, (await proxy.Client.GetAsync("/", Stop)).StatusCode);

        Volatile.Write(ref status, StatusCodes.Status200OK);
        await Eventually.HoldsAsync(() => !peer.State.Unhealthy, "the peer is healthy", Stop);
        Assert.Equal("a", await proxy.Client.GetStringAsync("/", Stop));

        Assert.NotEqual(0, await proxy.MetricAsync("stickyingress_health_checks_total{namespace=\"test\",upstream=\"u\",peer=\"" + peer.Label + "\",outcome=\"failed\"}"));
        proxy.AssertNothingHeld();
    }

    [Theory]
    [InlineData("shop.example.com", "shop.example.com")]
    [InlineData("shop\r\nX-Evil: 1", "shop  X-Evil: 1")]
    public async Task A_check_says_who_asks_and_asks_on_a_connection_of_its_own(string host, string sent)
    {
        var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = RawBackend.Start(async (stream, stop) => seen.TrySetResult(await RawBackend.ReadHeadAsync(stream, stop)));
        using var checks = new Checks(new FakeTimeProvider(), [backend.EndPoint], Check with { Host = host });

        var head = await seen.Task.WaitAsync(Stop);

        Assert.StartsWith("GET /ready?full HTTP/1.1\r\n", head);
        Assert.Contains($"\r\nHost: {sent}\r\n", head);
        Assert.Contains("\r\nUser-Agent: sticky-ingress-health-check\r\n", head);
        Assert.Contains("\r\nConnection: close\r\n", head);
    }

    [Theory]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", null)]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "status 404")]
    [InlineData("HTTP/1.1 200 OK\r\nX-Mode: test\r\nContent-Length: 2\r\n\r\nup", "header X-Mode does not match")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndown", "the body does not match")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nup", null)]
    public async Task An_answer_passes_where_all_tests_hold(string response, string? objection)
    {
        Assert.True(HeaderMatch.TryParse("X-Mode != test", out var header, out _));
        Assert.True(BodyMatch.TryParse("~ ^(up)?$", out var body, out _));
        var check = Check with { Match = Check.Match with { Headers = [header], Body = body } };
        await using var backend = RawBackend.Sending(response);
        var peer = ProxyUnderTest.MakePeer(backend.EndPoint, new(new("test", "u")), 0);

        Assert.Equal(objection, await new HealthProber(TimeProvider.System).ProbeAsync(peer, check, Stop));
    }

    [Fact]
    public async Task A_pattern_sees_256_KiB_of_the_body_and_no_more()
    {
        await using var backend = await TestBackend.StartAsync("a", context => context.Response.WriteAsync(new string('x', BodyMatch.Limit - 1) + "ab"));
        var peer = ProxyUnderTest.MakePeer(backend.EndPoint, new(new("test", "u")), 0);
        Assert.True(BodyMatch.TryParse("~ a$", out var body, out _));

        var check = Check with { Match = Check.Match with { Body = body } };

        Assert.Null(await new HealthProber(TimeProvider.System).ProbeAsync(peer, check, Stop));
    }

    [Fact]
    public async Task A_peer_that_refuses_or_keeps_silent_does_not_pass()
    {
        await using var silent = RawBackend.Silent();
        var time = new FakeTimeProvider();
        using var checks = new Checks(time, [silent.EndPoint, new(IPAddress.Loopback, FreePort.Next())], Check);

        await Eventually.HoldsAsync(() => checks.Peers[1].State.Unhealthy && silent.Connections == 1, "the closed port is unhealthy", Stop);
        Assert.False(checks.Peers[0].State.Unhealthy);
        time.Advance(Check.Timeout);

        await Eventually.HoldsAsync(() => checks.Peers[0].State.Unhealthy, "the silent one is unhealthy", Stop);
    }

    [Fact]
    public async Task The_next_check_comes_after_the_interval_on_the_port_that_is_set()
    {
        await using var backend = await TestBackend.StartAsync("a");
        var time = new FakeTimeProvider();
        using var checks = new Checks(time, [new(IPAddress.Loopback, 1)], Check with { Port = backend.EndPoint.Port });
        await Eventually.HoldsAsync(() => backend.Requests.Count == 1 && checks.Checker.Running == 0, "the first check ended", Stop);

        time.Advance(Check.Interval - TimeSpan.FromMilliseconds(1));
        Assert.Equal((1, 0), (backend.Requests.Count, checks.Checker.Running));
        time.Advance(TimeSpan.FromMilliseconds(1));

        await Eventually.HoldsAsync(() => backend.Requests.Count == 2, "the second check came", Stop);
    }

    [Fact]
    public async Task A_mandatory_check_keeps_a_new_peer_out_until_it_passed()
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = await TestBackend.StartAsync("a", async context =>
        {
            if (context.Request.Path == "/ready") await ready.Task;
            await context.Response.WriteAsync("a", Stop);
        });
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint], check: Check with { Mandatory = true });

        Assert.Equal(HttpStatusCode.BadGateway, (await proxy.Client.GetAsync("/", Stop)).StatusCode);
        ready.SetResult();

        await Eventually.HoldsAsync(async () => (await proxy.Client.GetAsync("/", Stop)).IsSuccessStatusCode, "the peer serves", Stop);
    }

    [Fact]
    public async Task Peers_that_are_gone_or_down_are_not_checked_and_those_that_stay_keep_their_turn()
    {
        await using var backend = await TestBackend.StartAsync("a");
        await using var other = await TestBackend.StartAsync("b");
        var time = new FakeTimeProvider();
        using var checks = new Checks(time, [backend.EndPoint, other.EndPoint], Check);
        await Eventually.HoldsAsync(() => backend.Requests.Count == 1 && other.Requests.Count == 1 && checks.Checker.Running == 0, "both were checked", Stop);

        checks.Publish([backend.EndPoint]);
        Assert.Equal(0, checks.Checker.Running);
        time.Advance(Check.Interval);
        await Eventually.HoldsAsync(() => backend.Requests.Count == 2 && checks.Checker.Running == 0, "the one left was checked again", Stop);
        checks.Checker.Follow(checks.Name, null);
        time.Advance(Check.Interval);

        Assert.Equal((2, 1, 0), (backend.Requests.Count, other.Requests.Count, checks.Checker.Running));
    }

    [Fact]
    public async Task Two_thousand_peers_need_one_timer_while_none_is_due()
    {
        const int peers = 2000;
        await using var backend = await TestBackend.StartAsync("a");
        var time = new CountingTime();

        using var checks = new Checks(time, [.. Enumerable.Repeat(backend.EndPoint, peers)], Check with { Interval = TimeSpan.FromHours(1), Timeout = TimeSpan.FromMinutes(2) });
        await Eventually.HoldsAsync(() => backend.Requests.Count == peers && checks.Checker.Running == 0, "all were checked", Stop);

        Assert.InRange(time.MostTimers, 2, HealthChecker.AtATime + 1);
        Assert.Equal(1, time.Timers);
        Assert.DoesNotContain(checks.Peers, peer => peer.State.Unhealthy);
    }

    private static Task AnswerAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync("a");
    }

    /// <summary>A checker alone, with one upstream.</summary>
    private sealed class Checks : IDisposable
    {
        private readonly UpstreamState _state = new(new("test", "u"));
        private readonly HealthCheckSettings _check;

        public Checks(TimeProvider time, IReadOnlyList<IPEndPoint> peers, HealthCheckSettings check)
        {
            _check = check;
            Checker = new(
                new Clock(time), time, new HealthProber(time), Metrics.WithCustomRegistry(Metrics.NewCustomRegistry()), NullLogger<HealthChecker>.Instance);
            Publish(peers);
        }

        public HealthChecker Checker { get; }

        public UpstreamName Name => _state.Name;

        public IReadOnlyList<Peer> Peers { get; private set; } = [];

        public void Publish(IReadOnlyList<IPEndPoint> peers)
        {
            Peers = [.. peers.Select((endPoint, index) => ProxyUnderTest.MakePeer(endPoint, _state, index))];
            var group = new PeerGroup([.. Peers], backup: false, single: Peers.Count == 1);
            var upstream = new Upstream
            {
                Name = _state.Name,
                State = _state,
                Primaries = group,
                Balancer = new RoundRobinBalancer(group, PeerGroup.Empty),
                HealthCheck = _check,
            };
            PeerHealth.Admit(upstream);
            Checker.Follow(Name, upstream);
        }

        public void Dispose() => Checker.Dispose();
    }

    /// <summary>The real time, and how many timers there are.</summary>
    private sealed class CountingTime : TimeProvider
    {
        private int _timers;
        private int _most;

        public int Timers => Volatile.Read(ref _timers);

        public int MostTimers => Volatile.Read(ref _most);

        public override System.Threading.ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var now = Interlocked.Increment(ref _timers);
            for (var most = MostTimers; now > most; most = MostTimers) Interlocked.CompareExchange(ref _most, now, most);
            return new Counted(System.CreateTimer(callback, state, dueTime, period), this);
        }

        private sealed class Counted(System.Threading.ITimer timer, CountingTime time) : System.Threading.ITimer
        {
            private int _disposed;

            public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

            public void Dispose()
            {
                if (Interlocked.Exchange(ref _disposed, 1) == 0) Interlocked.Decrement(ref time._timers);
                timer.Dispose();
            }

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
