using Microsoft.Extensions.Time.Testing;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Tests.Fakes;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Tests.Affinity;

public sealed class RouteAffinityTests
{
    private readonly UpstreamState _state = new(FakePeers.Shop);

    [Theory]
    [InlineData("r=two", "", "b", AffinityOutcome.Kept, BreakReason.None)]
    [InlineData("", "two", "b", AffinityOutcome.Kept, BreakReason.None)]
    [InlineData("r=", "two", "b", AffinityOutcome.Kept, BreakReason.None)]
    [InlineData("r=two", "one", "b", AffinityOutcome.Kept, BreakReason.None)]
    [InlineData("r=nobody", "two", "a", AffinityOutcome.Rebound, BreakReason.Unknown)]
    [InlineData("r=Two", "", "a", AffinityOutcome.Rebound, BreakReason.Unknown)]
    [InlineData("r=three", "", "a", AffinityOutcome.Rebound, BreakReason.PeerDown)]
    [InlineData("r=gone", "", "a", AffinityOutcome.Rebound, BreakReason.PeerGone)]
    [InlineData("", "", "a", AffinityOutcome.New, BreakReason.None)]
    public void The_first_value_that_is_not_empty_names_the_peer(string cookie, string arg, string peer, AffinityOutcome outcome, BreakReason reason)
    {
        FakePeers.Group(_state, "x=gone");
        var primaries = FakePeers.Group(_state, "a=one b=two c=three/down d=two");
        var affinity = new RouteAffinity(FakePeers.Templates("$cookie_r", "$arg_r"), _state, primaries, PeerGroup.Empty);
        var upstream = FakePeers.Upstream(_state, primaries, affinity);
        UpstreamStates.Retain(upstream);
        var selection = new Selection(upstream, new FakeRequest { Cookie = cookie, Args = { ["r"] = arg } }, 0);

        using var lease = new PeerSelector(new(new FakeTimeProvider())).Select(selection).Lease!;

        Assert.Equal((peer, outcome, reason, null), (lease.Peer.Id.Value, selection.Outcome, selection.Reason, selection.SetCookie));
    }

    [Fact]
    public void Without_routes_nginx_identities_are_matched()
    {
        var primaries = FakePeers.Group(_state, "a b");
        var affinity = new RouteAffinity(FakePeers.Templates("$arg_r"), _state, primaries, PeerGroup.Empty);
        var selection = new Selection(FakePeers.Upstream(_state, primaries, affinity), new FakeRequest { Args = { ["r"] = primaries.Peers[1].Sid } }, 0);

        using var lease = new PeerSelector(new(new FakeTimeProvider())).Select(selection).Lease!;

        Assert.Equal("b", lease.Peer.Id.Value);
    }
}
