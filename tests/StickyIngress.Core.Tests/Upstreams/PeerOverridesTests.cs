using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Tests.Upstreams;

public sealed class PeerOverridesTests
{
    private readonly PeerOverridesHolder _overrides = new();
    private readonly List<string> _told = [];

    public PeerOverridesTests() =>
        _overrides.Changed += (peer, change) => _told.Add($"{peer}: down {change.Down} drain {change.Drain} weight {change.Weight}");

    [Fact]
    public void A_change_adds_to_what_holds_already_and_is_told()
    {
        _overrides.Change(Peer("u", "a"), override_ => override_ with { Drain = true });
        _overrides.Change(Peer("u", "a"), override_ => override_ with { Weight = 5 });

        Assert.Equal(new PeerOverride(null, true, 5), _overrides.Current.Of(Peer("u", "a")));
        Assert.Equal(["web/u a: down  drain True weight ", "web/u a: down  drain True weight 5"], _told);
    }

    [Fact]
    public void To_set_what_is_so_already_changes_nothing_and_tells_nobody()
    {
        var changed = _overrides.Change(Peer("u", "a"), override_ => override_ with { Down = true });

        Assert.Same(changed, _overrides.Change(Peer("u", "a"), override_ => override_ with { Down = true }));
        Assert.Single(_told);
    }

    [Fact]
    public void What_is_taken_back_leaves_nothing()
    {
        _overrides.Change(Peer("u", "a"), override_ => override_ with { Down = true });
        _overrides.Change(Peer("u", "a"), override_ => override_ with { Down = null });

        Assert.Equal((0, PeerOverride.None), (_overrides.Current.Count, _overrides.Current.Of(Peer("u", "a"))));
        Assert.Empty(_overrides.Current.All);
        Assert.Equal(2, _told.Count);
    }

    [Fact]
    public void Only_the_upstreams_of_changed_peers_are_different()
    {
        _overrides.Change(Peer("u", "a"), override_ => override_ with { Down = true });
        var before = _overrides.Change(Peer("v", "a"), override_ => override_ with { Down = true });

        var now = _overrides.Change(Peer("v", "b"), override_ => override_ with { Weight = 2 });

        Assert.Equal([new UpstreamName("web", "v")], now.ChangedSince(before));
        Assert.Empty(now.ChangedSince(now));
        Assert.Equal(2, now.ChangedSince(PeerOverrides.Empty).Count());
    }

    [Fact]
    public void Changes_from_many_threads_are_all_there_and_told_in_their_order()
    {
        Parallel.For(0, 1000, i => _overrides.Change(Peer("u", "a"), override_ => override_ with { Weight = (override_.Weight ?? 0) + 1 }));

        Assert.Equal(1000, _overrides.Current.Of(Peer("u", "a")).Weight);
        Assert.Equal(Enumerable.Range(1, 1000).Select(weight => $"web/u a: down  drain  weight {weight}"), _told);
    }

    [Fact]
    public void Where_there_is_too_much_peers_that_are_gone_make_room()
    {
        for (var i = 0; i < PeerOverridesHolder.MostKept; i++) _overrides.Change(Peer("u", $"{i}"), _ => new(Down: true));
        HashSet<PeerRef> known = [Peer("u", "0"), Peer("u", "new")];

        Assert.True(_overrides.MakeRoom(Peer("u", "0"), () => known));
        Assert.Equal(PeerOverridesHolder.MostKept, _overrides.Current.Count);
        Assert.False(_overrides.MakeRoom(Peer("u", "new"), () => _overrides.Current.All.Select(one => one.Peer).ToHashSet()));
        Assert.True(_overrides.MakeRoom(Peer("u", "new"), () => known));
        Assert.Equal([Peer("u", "0")], _overrides.Current.All.Select(one => one.Peer));
    }

    private static PeerRef Peer(string upstream, string peer) => new(new("web", upstream), new("s", new(peer), peer));
}
