using System.Net;
using System.Text;
using CsCheck;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Tests.Fakes;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Tests.Affinity;

public sealed class CookieAffinityTests
{
    private static readonly CookieSettings Plain = new() { Name = "srv" };
    private static readonly CookieSettings Hourly = Plain with { Expires = TimeSpan.FromHours(1) };
    private static readonly CookieSettings Nginx = Plain with { Form = CookieForm.NginxSid };
    private static readonly CookieSettings Idle = Plain with { IdleTimeout = TimeSpan.FromMinutes(20) };
    private static readonly CookieSettings Absolute = Plain with { AbsoluteTimeout = TimeSpan.FromHours(8) };

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 23, 2, 0, 10, TimeSpan.Zero));
    private readonly UpstreamState _state = new(FakePeers.Shop);
    private readonly Clock _clock;
    private AffinityKeys _keys = Keys("the key of the first year");

    public CookieAffinityTests() => _clock = new(_time);

    [Fact]
    public void A_new_client_gets_a_cookie_that_says_nothing_of_the_peer()
    {
        var answer = Ask(Plain, "a b", cookie: null);

        Assert.Equal((AffinityOutcome.New, BreakReason.None), (answer.Outcome, answer.Reason));
        Assert.Matches("^srv=[A-Za-z0-9_-]{22}; path=/$", answer.SetCookie);
    }

    [Fact]
    public void A_client_that_comes_back_keeps_its_peer_and_gets_no_new_cookie()
    {
        var cookie = CookieOf(Plain, "b");

        var answer = Ask(Plain, "a b", cookie);

        Assert.Equal(("b", AffinityOutcome.Kept, null), (answer.Peer, answer.Outcome, answer.SetCookie));
    }

    [Fact]
    public void Always_sends_the_cookie_with_every_response()
    {
        var always = Plain with { Issue = CookieIssuing.Always };
        var cookie = CookieOf(always, "b");

        Assert.Equal("srv=" + cookie + "; path=/", Ask(always, "a b", cookie).SetCookie);
    }

    [Fact]
    public void A_draining_peer_keeps_its_clients() => Assert.Equal("b", Ask(Plain, "a b!", CookieOf(Plain, "b")).Peer);

    [Fact]
    public void A_client_whose_peer_is_down_gets_another_and_its_cookie()
    {
        var answer = Ask(Plain, "a b/down", CookieOf(Plain, "b"));

        Assert.Equal(("a", AffinityOutcome.Rebound, BreakReason.PeerDown), (answer.Peer, answer.Outcome, answer.Reason));
        Assert.Equal(CookieOf(Plain, "a"), ValueOf(answer.SetCookie));
    }

    [Fact]
    public void The_cookie_names_the_peer_of_the_last_try()
    {
        var selection = Selection(Plain, "a b c", CookieOf(Plain, "b"), out var selector);

        using (var first = selector.Select(selection).Lease!) first.Fail(TryOutcome.Failed, BreakReason.ConnectFailed);
        using var second = selector.Select(selection).Lease!;

        Assert.Equal("a", second.Peer.Id.Value);
        Assert.Equal(CookieOf(Plain, "a"), ValueOf(selection.SetCookie));
        Assert.Equal((AffinityOutcome.Rebound, BreakReason.ConnectFailed), (selection.Outcome, selection.Reason));
    }

    [Theory]
    [InlineData("x")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA.00000000")]
    [InlineData("%00")]
    [InlineData("5958c386bf5e9109ac10d2a628645aea")]
    public void What_is_none_of_ours_is_balanced_as_new(string cookie)
    {
        var answer = Ask(Plain, "a b", cookie);

        Assert.Equal(("a", AffinityOutcome.Rebound, BreakReason.Unknown), (answer.Peer, answer.Outcome, answer.Reason));
        Assert.NotNull(answer.SetCookie);
    }

    [Fact]
    public void An_oversized_cookie_is_not_looked_at() => Assert.Equal(BreakReason.Unknown, Ask(Idle, "a", new string('A', 100_000)).Reason);

    [Fact]
    public void An_empty_cookie_is_none() => Assert.Equal(AffinityOutcome.New, Ask(Plain, "a", "").Outcome);

    [Fact]
    public void Of_two_cookies_the_first_counts()
    {
        Assert.Equal("b", Ask(Plain, "a b c", $"{CookieOf(Plain, "b")}; srv={CookieOf(Plain, "c")}").Peer);
        Assert.Equal(BreakReason.Unknown, Ask(Plain, "a b", $"forged; srv={CookieOf(Plain, "b")}").Reason);
    }

    [Fact]
    public void Any_bytes_are_an_unknown_client() => Gen.String[Gen.Char[' ', '\u00ff'], 1, 150].Sample(value =>
    {
        foreach (var settings in new[] { Plain, Hourly, Nginx, Idle, Plain with { Accept = CookieForm.NginxSid } })
        {
            var answer = Ask(settings, "a b", value);
            Assert.Contains(answer.Outcome, new[] { AffinityOutcome.New, AffinityOutcome.Rebound });
            Assert.Equal(answer.Outcome == AffinityOutcome.New ? BreakReason.None : BreakReason.Unknown, answer.Reason);
        }
    }, iter: 2_000);

    [Fact]
    public void A_cookie_leads_nowhere_in_another_upstream()
    {
        var other = new UpstreamState(new("web", "other"));

        foreach (var settings in new[] { Plain, Hourly, Idle })
            Assert.Equal(BreakReason.Unknown, Ask(settings, "a b", CookieOf(settings, "b", other)).Reason);
    }

    [Fact]
    public void Replicas_with_the_same_keys_understand_each_other()
    {
        var cookie = CookieOf(Plain, "b");
        _keys = Keys("the key of the first year");

        Assert.Equal("b", Ask(Plain, "a b", cookie).Peer);
    }

    [Fact]
    public void Rotating_keys_loses_no_client()
    {
        foreach (var settings in new[] { Plain, Hourly, Idle })
        {
            _keys = Keys("the key of the first year");
            var old = CookieOf(settings, "b");
            _keys = Keys("the key of the second year", "the key of the first year");

            var answer = Ask(settings, "a b", old);
            var renewed = ValueOf(answer.SetCookie);
            Assert.Equal(("b", AffinityOutcome.Kept), (answer.Peer, answer.Outcome));
            Assert.NotEqual(old, renewed);

            _keys = Keys("the key of the second year");
            Assert.Equal(AffinityOutcome.Kept, Ask(settings, "a b", renewed).Outcome);
            Assert.Equal(BreakReason.Unknown, Ask(settings, "a b", old).Reason);
        }
    }

    [Fact]
    public void A_client_of_a_former_peer_is_told_from_a_forger()
    {
        foreach (var settings in new[] { Plain, Hourly, Idle, Nginx, Nginx with { Accept = CookieForm.Opaque } })
        {
            var cookie = CookieOf(settings, "b");
            Leave("a");

            var answer = Ask(settings, "a", cookie);

            Assert.Equal(("a", AffinityOutcome.Rebound, BreakReason.PeerGone), (answer.Peer, answer.Outcome, answer.Reason));
        }
    }

    [Fact]
    public void A_peer_that_goes_later_is_remembered_too()
    {
        var (first, second) = (CookieOf(Plain, "b"), CookieOf(Plain, "c"));
        var selection = Selection(Plain, "a", "forged", out var selector);
        selector.Select(selection).Lease!.Dispose();
        var affinity = selection.Upstream.Affinity!;
        Leave("a c");
        Leave("a");

        foreach (var cookie in new[] { first, second })
        {
            var request = new Selection(selection.Upstream, new FakeRequest { Cookie = "srv=" + cookie }, 0);
            affinity.Bind(request);
            Assert.Same(Binding.Gone, request.Binding);
        }
    }

    [Fact]
    public void A_strict_client_of_a_former_peer_is_refused_once_and_loses_its_cookie()
    {
        var cookie = CookieOf(Plain, "b");
        Leave("a");
        var selection = Selection(Plain, "a", cookie, out var selector, failStatus: 503);

        Assert.Equal(SelectedKind.Rejected, selector.Select(selection).Kind);
        Assert.Equal((AffinityOutcome.Rejected, BreakReason.PeerGone), (selection.Outcome, selection.Reason));
        Assert.Equal("srv=; expires=Thu, 01-Jan-70 00:00:01 GMT; max-age=0; path=/", selection.SetCookie);
    }

    [Fact]
    public void A_strict_client_of_a_peer_that_may_return_keeps_its_cookie()
    {
        var cookie = CookieOf(Plain, "b");
        Leave("a");
        var selection = Selection(Plain with { PeersReturn = true }, "a", cookie, out var selector, failStatus: 503);

        Assert.Equal(SelectedKind.Rejected, selector.Select(selection).Kind);
        Assert.Equal((BreakReason.PeerGone, null), (selection.Reason, selection.SetCookie));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(29, false)]
    [InlineData(30, true)]
    [InlineData(59, true)]
    public void A_cookie_that_expires_is_issued_again_at_half_of_its_time(int minutes, bool issued)
    {
        var cookie = CookieOf(Hourly, "b");
        _time.Advance(TimeSpan.FromMinutes(minutes));

        var answer = Ask(Hourly, "a b", cookie);

        Assert.Equal((AffinityOutcome.Kept, issued), (answer.Outcome, answer.SetCookie is not null));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".ffffffff")]
    [InlineData(".xxxxxxxx")]
    public void A_time_that_cannot_be_only_makes_a_new_cookie(string stamp)
    {
        var answer = Ask(Hourly, "a b", CookieOf(Plain, "b") + stamp);

        Assert.Equal(("b", AffinityOutcome.Kept), (answer.Peer, answer.Outcome));
        Assert.NotNull(answer.SetCookie);
    }

    [Fact]
    public void Nginx_form_with_an_expiry_is_always_issued()
    {
        var settings = Nginx with { Expires = TimeSpan.FromHours(1) };

        Assert.NotNull(Ask(settings, "a b", CookieOf(settings, "b")).SetCookie);
        Assert.Null(Ask(Nginx, "a b", CookieOf(Nginx, "b")).SetCookie);
    }

    [Fact]
    public void Nginx_cookies_are_replaced_while_moving_over()
    {
        var answer = Ask(Plain with { Accept = CookieForm.NginxSid }, "a b", CookieOf(Nginx, "b"));

        Assert.Equal(("b", AffinityOutcome.Kept), (answer.Peer, answer.Outcome));
        Assert.Equal(CookieOf(Plain, "b"), ValueOf(answer.SetCookie));
    }

    [Fact]
    public void Opaque_cookies_are_replaced_while_moving_back()
    {
        var answer = Ask(Nginx with { Accept = CookieForm.Opaque }, "a b", CookieOf(Hourly, "b"));

        Assert.Equal(("b", CookieOf(Nginx, "b")), (answer.Peer, ValueOf(answer.SetCookie)));
    }

    [Theory]
    [InlineData(4, AffinityOutcome.Kept, BreakReason.None, false)]
    [InlineData(5, AffinityOutcome.Kept, BreakReason.None, true)]
    [InlineData(20, AffinityOutcome.Kept, BreakReason.None, true)]
    [InlineData(21, AffinityOutcome.Rebound, BreakReason.Expired, true)]
    public void A_client_that_was_away_too_long_is_balanced_as_new(int minutes, AffinityOutcome outcome, BreakReason reason, bool issued)
    {
        var cookie = CookieOf(Idle, "b");
        _time.Advance(TimeSpan.FromMinutes(minutes));

        var answer = Ask(Idle, "a b", cookie);

        Assert.Equal((outcome, reason, issued), (answer.Outcome, answer.Reason, answer.SetCookie is not null));
    }

    [Fact]
    public void A_binding_ends_however_often_it_is_used()
    {
        var settings = Idle with { AbsoluteTimeout = TimeSpan.FromMinutes(30) };
        var cookie = CookieOf(settings, "b");
        _time.Advance(TimeSpan.FromMinutes(15));
        var renewed = ValueOf(Ask(settings, "a b", cookie).SetCookie);
        _time.Advance(TimeSpan.FromMinutes(15));
        Assert.Equal("b", Ask(settings, "a b", renewed).Peer);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(BreakReason.Expired, Ask(settings, "a b", renewed).Reason);
    }

    [Fact]
    public void A_sealed_cookie_with_an_expiry_is_issued_again_at_half_of_it()
    {
        var settings = Absolute with { Expires = TimeSpan.FromHours(1) };
        var cookie = CookieOf(settings, "b");
        _time.Advance(TimeSpan.FromMinutes(29));
        Assert.Null(Ask(settings, "a b", cookie).SetCookie);
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.NotNull(Ask(settings, "a b", cookie).SetCookie);
    }

    [Fact]
    public void A_cookie_without_times_is_no_way_around_them() =>
        Assert.Equal(BreakReason.Unknown, Ask(Idle, "a b", CookieOf(Plain, "b")).Reason);

    [Fact]
    public void A_sealed_cookie_is_understood_when_the_times_were_taken_away()
    {
        var answer = Ask(Plain, "a b", CookieOf(Idle, "b"));

        Assert.Equal(("b", CookieOf(Plain, "b")), (answer.Peer, ValueOf(answer.SetCookie)));
    }

    [Fact]
    public void A_sealed_cookie_that_was_touched_is_unknown()
    {
        var cookie = CookieOf(Idle, "b");

        for (var i = 0; i < cookie.Length - 1; i++)
        {
            var touched = cookie[..i] + (cookie[i] == 'A' ? 'B' : 'A') + cookie[(i + 1)..];
            Assert.Equal(BreakReason.Unknown, Ask(Idle, "a b", touched).Reason);
        }
    }

    [Theory]
    [InlineData("a.example", "; domain=a.example")]
    [InlineData("", "")]
    [InlineData("a; httponly", "")]
    [InlineData("a\r\nX: y", "")]
    [InlineData("a\tb", "")]
    [InlineData("é", "")]
    public void Nothing_breaks_out_of_the_domain(string domain, string attribute)
    {
        var settings = Plain with { Domain = FakePeers.Template("$arg_d") };

        var answer = Ask(settings, "a", null, new FakeRequest { Args = { ["d"] = domain } });

        Assert.Matches($"^srv=[^;]+{attribute}; path=/$", answer.SetCookie);
    }

    [Theory]
    [InlineData(SecureFlag.Auto, false, false)]
    [InlineData(SecureFlag.Auto, true, true)]
    [InlineData(SecureFlag.Always, false, true)]
    [InlineData(SecureFlag.Never, true, false)]
    public void Secure_follows_the_connection_unless_told(SecureFlag secure, bool https, bool expected)
    {
        var answer = Ask(Plain with { Secure = secure }, "a", null, new FakeRequest { Https = https });

        Assert.Equal(expected, answer.SetCookie!.Contains("; secure", StringComparison.Ordinal));
    }

    [Fact]
    public void Partitioned_comes_last() =>
        Assert.EndsWith("; samesite=None; path=/; partitioned", Ask(Plain with { SameSite = FakePeers.Template("None"), Partitioned = true }, "a", null).SetCookie, StringComparison.Ordinal);

    [Fact]
    public void A_client_bound_to_a_backup_goes_to_a_primary_that_is_there()
    {
        var primaries = FakePeers.Group(_state, "a");
        var backups = FakePeers.Group(_state, "b", backup: true);
        var affinity = new CookieAffinity(Plain, _keys, _clock, _state, primaries, backups);
        var upstream = FakePeers.Upstream(_state, primaries, affinity, backups);
        var selection = new Selection(upstream, new FakeRequest { Cookie = "srv=" + CookieOf(Plain, "b") }, 0);

        using var lease = new PeerSelector(_clock).Select(selection).Lease!;

        Assert.Equal(("a", BreakReason.PeerBackup), (lease.Peer.Id.Value, selection.Reason));
    }

    [Fact]
    public void Distinct_clients_of_a_peer_are_estimated()
    {
        var primaries = FakePeers.Group(_state, "a b");
        var affinity = new CookieAffinity(Plain, _keys, _clock, _state, primaries, PeerGroup.Empty);
        var upstream = FakePeers.Upstream(_state, primaries, affinity);

        for (var i = 0; i < 90; i++)
        {
            var selection = new Selection(upstream, new FakeRequest(new IPAddress([10, 0, 0, (byte)(i % 30)])), 0);
            new PeerSelector(_clock).Select(selection).Lease!.Dispose();
        }

        Assert.InRange(affinity.BoundTo(primaries.Peers[0]), 25, 35);
        Assert.Equal(0, affinity.BoundTo(primaries.Peers[1]));
        _time.Advance(TimeSpan.FromMinutes(13));
        Assert.Equal(0, affinity.BoundTo(primaries.Peers[0]));
    }

    [Fact]
    public void Keeping_a_client_allocates_nothing()
    {
        foreach (var settings in new[] { Plain, Hourly, Nginx, Plain with { Issue = CookieIssuing.Always } })
        {
            var selection = Selection(settings, "a b c", CookieOf(settings, "b"), out _);

            Assert.Equal(0, KeptClient.AllocatedBy(selection, selection.Upstream.Primaries.Peers[1]));
        }
    }

    private static AffinityKeys Keys(params string[] keys)
    {
        Assert.True(AffinityKeys.TryParse(Encoding.UTF8.GetBytes(string.Join('\n', keys)), out var parsed, out var error), error);
        return parsed;
    }

    private static string ValueOf(string? setCookie) => setCookie!["srv=".Length..setCookie!.IndexOf(';', StringComparison.Ordinal)];

    /// <summary>The cookie that a new client of that peer gets now.</summary>
    private string CookieOf(CookieSettings settings, string peer, UpstreamState? state = null)
    {
        var selection = Selection(settings, peer, null, out var selector, state: state);
        selector.Select(selection).Lease!.Dispose();
        return ValueOf(selection.SetCookie);
    }

    private (string Peer, AffinityOutcome Outcome, BreakReason Reason, string? SetCookie) Ask(
        CookieSettings settings, string peers, string? cookie, FakeRequest? request = null)
    {
        var selection = Selection(settings, peers, cookie, out var selector, request);
        using var lease = selector.Select(selection).Lease!;
        return (lease.Peer.Id.Value, selection.Outcome, selection.Reason, selection.SetCookie);
    }

    private Selection Selection(
        CookieSettings settings, string peers, string? cookie, out PeerSelector selector, FakeRequest? request = null, UpstreamState? state = null, int? failStatus = null)
    {
        state ??= _state;
        var primaries = FakePeers.Group(state, peers);
        var affinity = new CookieAffinity(settings, _keys, _clock, state, primaries, PeerGroup.Empty);
        selector = new(_clock);
        var upstream = FakePeers.Upstream(state, primaries, affinity, failStatus: failStatus);
        return new(upstream, request ?? new FakeRequest { Cookie = cookie is null ? "" : "srv=" + cookie }, 0);
    }

    /// <summary>A snapshot in which there are only these peers is published.</summary>
    private void Leave(string peers) => UpstreamStates.Retain(FakePeers.Upstream(_state, FakePeers.Group(_state, peers), null));
}
