using StickyIngress.Core.Tests.Balancing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Tests.Upstreams;

public sealed class PeerHealthTests
{
    [Theory]
    [InlineData(1, 1, "f", "down")]
    [InlineData(1, 1, "fp", "up")]
    [InlineData(3, 1, "ff", "up")]
    [InlineData(3, 1, "ffpff", "up")]
    [InlineData(3, 1, "ffpfff", "down")]
    [InlineData(1, 3, "fpp", "down")]
    [InlineData(1, 3, "fppfpp", "down")]
    [InlineData(1, 3, "fppfppp", "up")]
    public void Health_changes_after_that_many_results_in_a_row(int fails, int passes, string results, string expected)
    {
        var check = Check() with { Fails = fails, Passes = passes };
        var upstream = new TestUpstream("a, b", check: check);

        foreach (var result in results) Report(upstream, check, result == 'p');

        Assert.Equal(expected == "down", upstream["a"].State.Unhealthy);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("p", false)]
    [InlineData("f", true)]
    [InlineData("fpp", true)]
    [InlineData("fppp", false)]
    public void A_peer_that_must_pass_first_gets_nothing_before(string results, bool unhealthy)
    {
        var check = Check() with { Mandatory = true, Passes = 3 };
        var upstream = new TestUpstream("a, b", check: check);

        foreach (var result in results) Report(upstream, check, result == 'p');

        Assert.Equal(unhealthy, upstream["a"].State.Unhealthy);
        Assert.Equal(results.Length == 0, upstream["a"].State.Checking);
        Assert.Equal(unhealthy ? "-" : "a", upstream.Get());
    }

    [Fact]
    public void A_publish_keeps_the_health_of_known_peers_and_checks_new_ones_first()
    {
        var check = Check() with { Mandatory = true };
        var upstream = new TestUpstream("a, b", check: check);
        Report(upstream, check, passed: true);

        upstream.HealthCheck = check with { };
        upstream.Publish("a, b, c", Methods.RoundRobin);

        Assert.Equal([false, true, true], upstream.Peers.Select(peer => peer.State.Unhealthy));
    }

    [Theory]
    [InlineData(false, "-")]
    [InlineData(true, "a")]
    public void When_the_check_changes_only_persistent_peers_go_on(bool persistent, string served)
    {
        var check = Check() with { Mandatory = true, Persistent = persistent };
        var upstream = new TestUpstream("a, b", check: check);
        Report(upstream, check, passed: true);

        upstream.HealthCheck = check with { Source = "another" };
        upstream.Publish("a, b", Methods.RoundRobin);

        Assert.Equal(served, upstream.Get());
    }

    [Fact]
    public void A_result_of_a_check_that_is_no_more_says_nothing()
    {
        var check = Check();
        var upstream = new TestUpstream("a, b", check: check);
        Report(upstream, check, passed: false);

        upstream.HealthCheck = null;
        upstream.Publish("a, b", Methods.RoundRobin);
        Report(upstream, check, passed: false);

        Assert.False(upstream["a"].State.Unhealthy);
    }

    [Fact]
    public void A_peer_that_recovers_starts_slowly_and_one_that_is_first_checked_does_not()
    {
        var check = Check() with { Mandatory = true };
        var upstream = new TestUpstream("a slow_start=10s, b", check: check);

        Report(upstream, check, passed: true);
        Assert.False(SlowStart.IsRamping(upstream["a"], upstream.Clock.Milliseconds));

        Report(upstream, check, passed: false);
        Report(upstream, check, passed: true);
        Assert.True(SlowStart.IsRamping(upstream["a"], upstream.Clock.Milliseconds));
    }

    private static void Report(TestUpstream upstream, HealthCheckSettings check, bool passed) =>
        PeerHealth.Report(upstream["a"], check, passed, upstream.Clock.Milliseconds);

    private static HealthCheckSettings Check() => new()
    {
        Source = "a check",
        Path = "/",
        Port = 0,
        Host = null,
        Proxy = new()
        {
            Host = Template.Empty,
            ConnectTimeout = TimeSpan.FromSeconds(1),
            SendTimeout = TimeSpan.FromSeconds(1),
            ReadTimeout = TimeSpan.FromSeconds(1),
            MaxBodySize = 0,
            RequestBuffer = 0,
            NextUpstream = new(NextUpstreamOn.None, 0, TimeSpan.Zero),
            Keepalive = new(0, 0, TimeSpan.Zero, TimeSpan.Zero),
        },
        Interval = TimeSpan.FromSeconds(5),
        Jitter = TimeSpan.Zero,
        Timeout = TimeSpan.FromSeconds(5),
        Fails = 1,
        Passes = 1,
        Mandatory = false,
        Persistent = false,
        Match = new(new(Negated: false, [(200, 399)]), [], null),
    };
}
