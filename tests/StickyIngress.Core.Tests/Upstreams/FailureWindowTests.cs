using System.Globalization;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Tests.Balancing;

namespace StickyIngress.Core.Tests.Upstreams;

/// <summary>max_fails and fail_timeout over time. The group has a second peer, which is down, so that it is not a sole one.</summary>
public sealed class FailureWindowTests
{
    // Seconds of each request, with "!" where it fails. What came of it: a was tried, or "-" for nobody.
    [Theory]
    [InlineData("fail_timeout=1", "0.53! 1.53 1.99 2.00", "a - - a")]
    [InlineData("fail_timeout=2", "0.06! 2.99 3.00", "a - a")]
    [InlineData("fail_timeout=0", "0.20! 0.99 1.00", "a - a")]
    [InlineData("fail_timeout=10", "0! 10.99 11", "a - a")]
    [InlineData("max_fails=0", "0! 0! 0! 0", "a a a a")]
    [InlineData("max_fails=2 fail_timeout=10", "0! 1 5 9! 9.5", "a a a a -")] // successes do not forgive
    [InlineData("max_fails=2 fail_timeout=10", "0! 11 11.5! 12", "a a a a")] // one long after the failure does
    [InlineData("max_fails=2 fail_timeout=10", "0! 9! 20! 20.5", "a a a -")] // each failure is within 10 s of a stamp
    [InlineData("fail_timeout=10", "0! 11! 12 21.9 22 22", "a a - - a a")] // a failed probe suspends again
    public void Is_suspended_as_long_as_in_nginx(string server, string requests, string expected)
    {
        var upstream = new TestUpstream($"a {server}, b down");
        var start = upstream.Clock.Milliseconds;

        var tried = requests.Split(' ').Select(request =>
        {
            var seconds = double.Parse(request.TrimEnd('!'), CultureInfo.InvariantCulture);
            upstream.Time.Advance(TimeSpan.FromMilliseconds(start + Math.Round(seconds * 1000) - upstream.Clock.Milliseconds));
            return request.EndsWith('!') ? upstream.Failing("a") : upstream.Get();
        });

        Assert.Equal(expected, string.Join(' ', tried));
    }

    [Fact]
    public void One_request_in_each_fail_timeout_probes_a_suspended_peer()
    {
        var upstream = new TestUpstream("a fail_timeout=10, b down");
        upstream.Failing("a");
        upstream.Time.Advance(TimeSpan.FromSeconds(11));

        using var probe = upstream.Begin();
        Assert.Equal("a", probe?.Peer.Server);
        Assert.Equal("- - -", $"{upstream.Get()} {upstream.Get()} {upstream.Get()}");

        upstream.Time.Advance(TimeSpan.FromSeconds(11));
        using var second = upstream.Begin();
        Assert.Equal("a", second?.Peer.Server);
        Assert.Equal("-", upstream.Get());

        probe!.Dispose();
        Assert.Equal("a a", $"{upstream.Get()} {upstream.Get()}");
    }

    [Fact]
    public void Bound_request_does_not_get_a_suspended_peer()
    {
        var upstream = new TestUpstream("a, b");
        upstream.Failing("a");

        Assert.Equal("b", upstream.Get(hint: "a"));
    }

    [Fact]
    public void Sole_peer_is_never_suspended_and_tried_once()
    {
        var upstream = new TestUpstream("a");

        Assert.Equal("a a a", $"{upstream.Failing("a")} {upstream.Failing("a")} {upstream.Get()}");
    }

    [Fact]
    public void Lease_is_counted_out_once()
    {
        var upstream = new TestUpstream("a, b");
        var lease = upstream.Begin()!;

        lease.Fail(TryOutcome.Failed, BreakReason.ConnectFailed);
        lease.Dispose();
        lease.Dispose();

        Assert.Equal((0, 1, 1L), (lease.Peer.State.Conns, lease.Peer.State.Fails, lease.Peer.State.FailedTotal));
    }
}
