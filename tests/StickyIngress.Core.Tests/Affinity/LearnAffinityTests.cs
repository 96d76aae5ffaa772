using Microsoft.Extensions.Time.Testing;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Tests.Fakes;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Tests.Affinity;

public sealed class LearnAffinityTests
{
    private const string ServerMade = "$upstream_cookie_sid";
    private const string ClientMade = "$cookie_sid";

    private readonly FakeTimeProvider _time = new();
    private readonly UpstreamState _state = new(FakePeers.Shop);
    private readonly PeerOrdinals _ordinals = new();
    private readonly SessionHasher _hasher = new(new byte[16], "z");
    private readonly PeerSelector _selector;
    private SessionTable _table;

    public LearnAffinityTests()
    {
        _selector = new(new(_time));
        _table = new(new(1_000, TimeSpan.FromMinutes(10)), _time);
    }

    [Fact]
    public void A_session_goes_back_to_the_peer_that_made_it()
    {
        var upstream = Upstream("a b");
        Use(upstream, "b", creates: "s1");

        var (peer, selection) = Ask(upstream, "s1");

        Assert.Equal(("b", AffinityOutcome.Kept, BreakReason.None), (peer, selection.Outcome, selection.Reason));
        Assert.Equal((0, 1), (upstream.Affinity!.BoundTo(upstream.Primaries.Peers[0]), upstream.Affinity.BoundTo(upstream.Primaries.Peers[1])));
    }

    [Fact]
    public void A_request_without_an_id_is_new() => Assert.Equal(AffinityOutcome.New, Ask(Upstream("a b"), null).Selection.Outcome);

    [Fact]
    public void An_id_that_no_server_made_is_unknown()
    {
        var (peer, selection) = Ask(Upstream("a b"), "forged");

        Assert.Equal(("a", AffinityOutcome.Rebound, BreakReason.Unknown), (peer, selection.Outcome, selection.Reason));
    }

    [Fact]
    public void An_id_that_the_client_made_is_new_and_then_bound()
    {
        var upstream = Upstream("a b", ClientMade);

        Assert.Equal(AffinityOutcome.New, Ask(upstream, "mine").Selection.Outcome);
        Assert.Equal(AffinityOutcome.Kept, Ask(upstream, "mine").Selection.Outcome);
    }

    [Theory]
    [InlineData(ServerMade)]
    [InlineData(ClientMade)]
    public void A_session_that_was_away_too_long_has_expired(string create)
    {
        var upstream = Upstream("a b", create);
        Use(upstream, "b", creates: "s1", cookie: create == ClientMade ? "s1" : null);
        _time.Advance(TimeSpan.FromMinutes(10));
        _table.Sweep();

        Assert.Equal((AffinityOutcome.Rebound, BreakReason.Expired), OutcomeOf(upstream, "s1", learn: false));
    }

    [Fact]
    public void A_session_that_had_to_make_room_was_evicted()
    {
        _table = new(new(2, TimeSpan.FromMinutes(10)), _time);
        var upstream = Upstream("a b");
        foreach (var id in new[] { "s1", "s2", "s3" })
        {
            Use(upstream, "b", creates: id);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal((AffinityOutcome.Rebound, BreakReason.Evicted), OutcomeOf(upstream, "s1", learn: false));
        Assert.Equal((AffinityOutcome.Kept, BreakReason.None), OutcomeOf(upstream, "s3", learn: false));
    }

    [Fact]
    public void A_session_whose_peer_is_gone_is_rebound_once_and_stays()
    {
        Use(Upstream("a b"), "b", creates: "s1");
        var upstream = Upstream("a c");

        Assert.Equal((AffinityOutcome.Rebound, BreakReason.PeerGone), OutcomeOf(upstream, "s1"));
        Assert.Equal((AffinityOutcome.Kept, BreakReason.None), OutcomeOf(upstream, "s1"));
        Assert.Equal(1, _table.EndedTotal(SessionEnd.PeerGone));
    }

    [Fact]
    public void A_strict_session_whose_peer_is_gone_is_refused()
    {
        Use(Upstream("a b"), "b", creates: "s1");
        var upstream = Upstream("a c", failStatus: 404);
        var selection = new Selection(upstream, new FakeRequest { Cookie = "sid=s1" }, 0);

        Assert.Equal(SelectedKind.Rejected, _selector.Select(selection).Kind);
        Assert.Equal((AffinityOutcome.Rejected, BreakReason.PeerGone), (selection.Outcome, selection.Reason));
    }

    [Fact]
    public void Another_pod_with_the_address_of_an_old_one_inherits_nothing()
    {
        var old = new PeerGroup([FakePeers.Create(_state, "a", 0), FakePeers.Create(_state, "b", 1, port: 7777)], backup: false, single: false);
        Use(Upstream(old), "b", creates: "s1");
        var now = new PeerGroup([FakePeers.Create(_state, "a", 0), FakePeers.Create(_state, "c", 1, port: 7777)], backup: false, single: false);

        Assert.Equal((AffinityOutcome.Rebound, BreakReason.PeerGone), OutcomeOf(Upstream(now), "s1"));
    }

    [Fact]
    public void A_pod_that_comes_back_under_its_name_keeps_its_sessions()
    {
        Use(Upstream("a b"), "b", creates: "s1");
        OutcomeOf(Upstream("a"), null);
        var back = new PeerGroup([FakePeers.Create(_state, "a", 0), FakePeers.Create(_state, "b", 1, port: 7777)], backup: false, single: false);

        Assert.Equal("b", Ask(Upstream(back), "s1").Peer);
    }

    [Fact]
    public void A_draining_peer_keeps_its_sessions()
    {
        Use(Upstream("a b"), "b", creates: "s1");

        Assert.Equal("b", Ask(Upstream("a b!"), "s1").Peer);
    }

    [Fact]
    public void A_session_moves_to_the_peer_that_answered()
    {
        Use(Upstream("a b"), "b", creates: "s1");

        Assert.Equal((AffinityOutcome.Rebound, BreakReason.PeerDown), OutcomeOf(Upstream("a b/down"), "s1"));
        Assert.Equal("a", Ask(Upstream("a b"), "s1").Peer);
    }

    [Fact]
    public void Failed_tries_teach_nothing()
    {
        var upstream = Upstream("a b", ClientMade);
        var request = new FakeRequest { Cookie = "sid=mine" };
        var selection = new Selection(upstream, request, 0);
        using (var lease = _selector.Select(selection).Lease!) lease.Fail(TryOutcome.Failed, BreakReason.ConnectFailed);
        using (var lease = _selector.Select(selection).Lease!) lease.Fail(TryOutcome.Next, BreakReason.PeerFailed);

        Assert.Equal(0, _table.Count);
        Assert.Equal(AffinityOutcome.New, selection.Outcome);
    }

    [Fact]
    public void Of_two_first_requests_the_first_answer_wins_and_the_other_adopts_it()
    {
        var upstream = Upstream("a b", ClientMade);
        var slow = new Selection(upstream, new FakeRequest { Cookie = "sid=mine" }, 0);
        var slowLease = _selector.Select(slow).Lease!;
        Use(upstream, "b", creates: null, cookie: "mine");

        slowLease.Dispose();

        Assert.Equal(("a", "b"), (slowLease.Peer.Id.Value, Ask(upstream, "mine").Peer));
    }

    [Fact]
    public void Of_two_requests_whose_peer_failed_the_first_answer_wins()
    {
        Use(Upstream("a b c"), "c", creates: "s1");
        var upstream = Upstream("a b c/down");
        var slow = new Selection(upstream, new FakeRequest { Cookie = "sid=s1" }, 0);
        var slowLease = _selector.Select(slow).Lease!;
        Use(upstream, "b", creates: null, cookie: "s1");

        slowLease.Dispose();

        Assert.Equal(("a", "b"), (slowLease.Peer.Id.Value, Ask(upstream, "s1").Peer));
    }

    [Fact]
    public void With_header_the_session_is_learned_before_the_response_ends()
    {
        var upstream = Upstream("a b", header: true);
        var request = new FakeRequest { ResponseCookies = ["sid=s1"] };
        using var lease = _selector.Select(new Selection(upstream, request, 0)).Lease!;
        Assert.Equal(0, _table.Count);

        lease.HeaderReceived();

        Assert.Equal("a", Ask(upstream, "s1").Peer);
    }

    [Fact]
    public void With_header_a_client_that_left_before_the_response_teaches_nothing()
    {
        var upstream = Upstream("a b", ClientMade, header: true);

        _selector.Select(new Selection(upstream, new FakeRequest { Cookie = "sid=mine" }, 0)).Lease!.Dispose();

        Assert.Equal(0, _table.Count);
    }

    [Fact]
    public void A_new_id_does_not_keep_the_old_one_alive()
    {
        var upstream = Upstream("a b");
        Use(upstream, "b", creates: "s1");
        _time.Advance(TimeSpan.FromMinutes(6));
        Use(upstream, "b", creates: "s2", cookie: "s1");
        _time.Advance(TimeSpan.FromMinutes(6));
        _table.Sweep();

        Assert.Equal(BreakReason.Expired, OutcomeOf(upstream, "s1", learn: false).Reason);
        Assert.Equal(BreakReason.None, OutcomeOf(upstream, "s2", learn: false).Reason);
    }

    [Fact]
    public void Any_response_header_can_make_a_session_and_any_request_header_present_it()
    {
        var group = FakePeers.Group(_state, "a b");
        var settings = new LearnSettings(FakePeers.Templates("$upstream_http_mcp_session_id"), FakePeers.Templates("$http_mcp_session_id"), Header: true);
        var upstream = FakePeers.Upstream(_state, group, new LearnAffinity(settings, _table, _hasher, _ordinals, group, PeerGroup.Empty));
        var first = new FakeRequest { ResponseHeaders = { ["mcp-session-id"] = "m1" } };
        using (var lease = _selector.Select(new Selection(upstream, first, 0)).Lease!) lease.HeaderReceived();

        var second = new Selection(upstream, new FakeRequest { Headers = { ["mcp-session-id"] = "m1" } }, 0);
        using (_selector.Select(second).Lease!) Assert.Equal(AffinityOutcome.Kept, second.Outcome);
    }

    [Fact]
    public void Looking_a_session_up_and_refreshing_it_allocates_nothing()
    {
        var upstream = Upstream("a b");
        Use(upstream, "b", creates: "s1");
        var selection = new Selection(upstream, new FakeRequest { Cookie = "sid=s1" }, 0);

        Assert.Equal(0, KeptClient.AllocatedBy(selection, upstream.Primaries.Peers[1]));
    }

    [Fact]
    public void A_session_outlives_a_stream_that_was_open_for_longer_than_its_timeout()
    {
        var upstream = Upstream("a b");
        Use(upstream, "b", creates: "s1");
        var stream = new Selection(upstream, new FakeRequest { Cookie = "sid=s1" }, 0);
        using (_selector.Select(stream).Lease!)
        {
            _time.Advance(TimeSpan.FromHours(1));
            _table.Sweep();
        }

        Assert.Equal((AffinityOutcome.Kept, BreakReason.None), OutcomeOf(upstream, "s1"));
    }

    private Upstream Upstream(string peers, string create = ServerMade, bool header = false, int? failStatus = null) =>
        Upstream(FakePeers.Group(_state, peers), create, header, failStatus);

    private Upstream Upstream(PeerGroup group, string create = ServerMade, bool header = false, int? failStatus = null)
    {
        var settings = new LearnSettings(FakePeers.Templates(create), FakePeers.Templates("$cookie_sid"), header);
        var affinity = new LearnAffinity(settings, _table, _hasher, _ordinals, group, PeerGroup.Empty);
        return FakePeers.Upstream(_state, group, affinity, failStatus: failStatus);
    }

    /// <summary>A request that this peer answers, whichever is bound.</summary>
    private static void Use(Upstream upstream, string peer, string? creates, string? cookie = null)
    {
        var request = new FakeRequest { Cookie = cookie is null ? "" : "sid=" + cookie, ResponseCookies = creates is null ? [] : ["sid=" + creates] };
        var selection = new Selection(upstream, request, 0);
        upstream.Affinity!.Bind(selection);
        upstream.Affinity.Released(selection, upstream.Primaries.Peers.Single(other => other.Id.Value == peer), TryOutcome.Ok);
    }

    private (AffinityOutcome Outcome, BreakReason Reason) OutcomeOf(Upstream upstream, string? cookie, bool learn = true)
    {
        var selection = Ask(upstream, cookie, learn).Selection;
        return (selection.Outcome, selection.Reason);
    }

    private (string Peer, Selection Selection) Ask(Upstream upstream, string? cookie, bool learn = true)
    {
        var selection = new Selection(upstream, new FakeRequest { Cookie = cookie is null ? "" : "sid=" + cookie }, 0);
        using var lease = _selector.Select(selection).Lease!;
        if (!learn) lease.Fail(TryOutcome.Next, BreakReason.None);
        return (lease.Peer.Id.Value, selection);
    }
}
