using StickyIngress.Core.Affinity;
using StickyIngress.Core.Tests.Fakes;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Tests.Affinity;

public sealed class RendezvousTests
{
    private const int Sessions = 3_000;

    [Fact]
    public void Replicas_that_know_the_same_peers_in_any_order_pick_alike() => Assert.Equal(Picks("a b c d"), Picks("d b a c"));

    [Fact]
    public void Sessions_are_spread()
    {
        var counts = Picks("a b c").GroupBy(peer => peer).Select(picked => picked.Count()).ToArray();

        Assert.All(counts, count => Assert.InRange(count, Sessions / 4, Sessions * 5 / 12));
        Assert.Equal(3, counts.Length);
    }

    [Theory]
    [InlineData("a b c d!")]
    [InlineData("a b c d/down")]
    public void A_peer_that_cannot_be_had_gives_up_its_own_sessions_alone(string peers)
    {
        var (all, without) = (Picks("a b c d"), Picks(peers));

        Assert.All(all.Zip(without).Where(pair => pair.First != "d"), pair => Assert.Equal(pair.First, pair.Second));
        Assert.DoesNotContain("d", without);
    }

    [Fact]
    public void Twice_the_weight_is_twice_the_sessions()
    {
        var state = new UpstreamState(FakePeers.Shop);
        var group = new PeerGroup([FakePeers.Create(state, "a", 0, weight: 2), FakePeers.Create(state, "b", 1)], backup: false, single: false);

        var first = Picks(state, group).Count(peer => peer == "a");

        Assert.InRange(first, Sessions * 6 / 10, Sessions * 73 / 100);
    }

    private static string?[] Picks(string peers)
    {
        var state = new UpstreamState(FakePeers.Shop);
        return Picks(state, FakePeers.Group(state, peers));
    }

    private static string?[] Picks(UpstreamState state, PeerGroup group)
    {
        var upstream = FakePeers.Upstream(state, group, null);
        return [.. Enumerable.Range(0, Sessions).Select(session =>
        {
            var selection = new Selection(upstream, new FakeRequest(), 0) { Session = new(true, new((ulong)session, 1), false, -1) };
            return Rendezvous.Pick(selection, 0)?.Id.Value;
        })];
    }
}
