using StickyIngress.Core.Affinity;
using StickyIngress.Core.Tests.Balancing;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Tests;

public sealed class PeerSelectorTests
{
    [Theory]
    [InlineData("a, b", null, "a", AffinityOutcome.New, BreakReason.None)]
    [InlineData("a, b", "b", "b", AffinityOutcome.Kept, BreakReason.None)]
    [InlineData("a, b drain", "b", "b", AffinityOutcome.Kept, BreakReason.None)]
    [InlineData("a, b", "nobody", "a", AffinityOutcome.Rebound, BreakReason.Unknown)]
    [InlineData("a, b down", "b", "a", AffinityOutcome.Rebound, BreakReason.PeerDown)]
    [InlineData("a, b backup", "b", "a", AffinityOutcome.Rebound, BreakReason.PeerBackup)]
    [InlineData("a down, b backup, c backup", "c", "c", AffinityOutcome.Kept, BreakReason.None)]
    public void Tells_what_became_of_the_binding(
        string servers, string? hint, string expected, AffinityOutcome outcome, BreakReason reason)
    {
        var upstream = new TestUpstream(servers);
        var request = upstream.Request(hint: hint);

        using var lease = upstream.Selector.Select(request).Lease;

        Assert.Equal((expected, outcome, reason), (lease?.Peer.Server, request.Outcome, request.Reason));
    }

    [Theory]
    [InlineData("full", BreakReason.PeerFull)]
    [InlineData("suspended", BreakReason.PeerSuspended)]
    [InlineData("unhealthy", BreakReason.PeerUnhealthy)]
    public void Tells_why_the_bound_peer_could_not_be_used(string why, BreakReason expected)
    {
        var upstream = new TestUpstream("a max_conns=1, b");
        using var other = why == "full" ? upstream.Begin(hint: "a") : null;
        if (why == "suspended") upstream.Failing("a");
        if (why == "unhealthy") PeerAccounting.SetHealth(upstream["a"], healthy: false, upstream.Clock.Milliseconds);
        var request = upstream.Request(hint: "a");

        using var lease = upstream.Selector.Select(request).Lease;

        Assert.Equal(("b", AffinityOutcome.Rebound, expected), (lease?.Peer.Server, request.Outcome, request.Reason));
    }

    [Fact]
    public void The_try_that_broke_the_binding_gives_the_reason()
    {
        var upstream = new TestUpstream("a, b, c");
        var request = upstream.Request(hint: "a");
        using (var first = upstream.Selector.Select(request).Lease!) first.Fail(TryOutcome.Failed, BreakReason.ConnectFailed);
        using (var second = upstream.Selector.Select(request).Lease!) second.Fail(TryOutcome.Failed, BreakReason.PeerFailed);

        using var third = upstream.Selector.Select(request).Lease;

        Assert.Equal((AffinityOutcome.Rebound, BreakReason.ConnectFailed), (request.Outcome, request.Reason));
    }

    [Theory]
    [InlineData("a down, b", "a", SelectedKind.Rejected)]
    [InlineData("a, b backup", "b", SelectedKind.Rejected)]
    [InlineData("a down, b down, c backup", "c", SelectedKind.Peer)]
    [InlineData("a, b", null, SelectedKind.Peer)]
    [InlineData("a, b", "nobody", SelectedKind.Peer)]
    public void Client_that_must_keep_its_peer_is_refused_where_it_cannot(string servers, string? hint, SelectedKind expected)
    {
        var upstream = new TestUpstream(servers, failStatus: 503);
        var request = upstream.Request(hint: hint);

        var selected = upstream.Selector.Select(request);
        selected.Lease?.Dispose();

        Assert.Equal(expected, selected.Kind);
        Assert.Equal(expected == SelectedKind.Rejected, request.Outcome == AffinityOutcome.Rejected);
        Assert.All(upstream.Peers, peer => Assert.Equal(0, peer.State.Conns));
    }

    [Fact]
    public void Refused_after_a_failed_try_the_client_is_told_of_the_try()
    {
        var upstream = new TestUpstream("a, b", failStatus: 503);
        var request = upstream.Request(hint: "a");

        using (var first = upstream.Selector.Select(request).Lease!) first.Fail(TryOutcome.Failed, BreakReason.ConnectFailed);
        var second = upstream.Selector.Select(request);

        Assert.Equal(SelectedKind.Rejected, second.Kind);
        Assert.Equal((AffinityOutcome.Rejected, BreakReason.ConnectFailed), (request.Outcome, request.Reason));
    }

    [Theory]
    [InlineData("a, b down, c drain, d backup", 0, 2)]
    [InlineData("a, b, c", 2, 2)]
    [InlineData("a, b, c", 7, 3)]
    public void Tries_are_as_many_as_peers_that_serve_and_no_more_than_allowed(string servers, int allowed, int expected) =>
        Assert.Equal(expected, new TestUpstream(servers).Request(maxTries: allowed).Tries);
}
