using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Control.Resolving;
using StickyIngress.Testing;
using StickyIngress.Testing.Dns;

namespace StickyIngress.Control.Tests.Resolving;

/// <summary>Names followed by real questions to a real server; only time is ours.</summary>
public sealed class FollowedNamesTests : IResolverObserver, IAsyncDisposable
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    private readonly DnsServer _dns = DnsServer.Start();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _told = new();
    private readonly HashSet<NameQuery> _used = [];
    private readonly FollowedNames _names;
    private int _changes;
    private int _settled;

    public FollowedNamesTests() => _names = new([this], _time, () => Interlocked.Increment(ref _changes), _stop.Token);

    private ResolverSettings Resolver => new() { Servers = [_dns.EndPoint], Ipv6 = false };

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _dns.DisposeAsync();
        _stop.Dispose();
    }

    [Fact]
    public async Task Asks_again_a_second_after_the_shortest_ttl_of_the_answer()
    {
        _dns.SetA("a.test", 30, "10.0.0.1");
        _dns.SetAaaa("a.test", 20, "2001:db8::1");
        var name = Name("a.test", Resolver with { Ipv6 = true });
        await UseAsync(name);
        Assert.Equal(["10.0.0.1", "2001:db8::1"], Addresses(name));

        _dns.SetA("a.test", 30, "10.0.0.2");
        await AdvanceAsync(TimeSpan.FromSeconds(21) - Millisecond);
        Assert.Equal(2, Asked("a.test"));

        _time.Advance(Millisecond);
        await HoldsAsync(name, "2001:db8::1", "10.0.0.2");
        Assert.Equal(4, Asked("a.test"));
    }

    [Fact]
    public async Task With_valid_the_ttl_does_not_count()
    {
        _dns.SetA("a.test", 1, "10.0.0.1");
        var name = Name("a.test", Resolver with { Valid = TimeSpan.FromSeconds(60) });
        await UseAsync(name);
        _dns.SetA("a.test", 1, "10.0.0.2");

        await AdvanceAsync(TimeSpan.FromSeconds(61) - Millisecond);
        Assert.Equal(1, Asked("a.test"));

        _time.Advance(Millisecond);
        await HoldsAsync(name, "10.0.0.2");
    }

    [Fact]
    public async Task A_ttl_of_decades_is_no_trouble_and_one_of_nothing_is_asked_again_after_a_second()
    {
        _dns.SetA("long.test", int.MaxValue, "10.0.0.1");
        _dns.SetA("short.test", 0, "10.0.0.2");
        var (lasting, brief) = (Name("long.test"), Name("short.test"));
        await UseAsync(lasting, brief);
        _dns.SetA("short.test", 0, "10.0.0.3");

        _time.Advance(TimeSpan.FromSeconds(1));

        await HoldsAsync(brief, "10.0.0.3");
        Assert.Equal(["10.0.0.1"], Addresses(lasting));
    }

    [Fact]
    public async Task Addresses_that_stay_keep_their_places_and_new_ones_follow()
    {
        _dns.SetA("a.test", 1, "10.0.0.5", "10.0.0.3", "10.0.0.5", "10.0.0.4");
        var name = Name("a.test");
        await UseAsync(name);
        Assert.Equal(["10.0.0.3", "10.0.0.4", "10.0.0.5"], Addresses(name));

        _dns.SetA("a.test", 1, "10.0.0.2", "10.0.0.5", "10.0.0.3", "10.0.0.1");
        _time.Advance(TimeSpan.FromSeconds(2));

        await HoldsAsync(name, "10.0.0.3", "10.0.0.5", "10.0.0.1", "10.0.0.2");
    }

    [Fact]
    public async Task An_answer_that_says_the_same_in_another_order_changes_nothing()
    {
        _dns.SetA("a.test", 1, "10.0.0.1", "10.0.0.2");
        var name = Name("a.test");
        await UseAsync(name);
        var (answers, changes) = (_names.Answers, _changes);

        _dns.SetA("a.test", 1, "10.0.0.2", "10.0.0.1");
        await AskedAgainAsync("a.test", 3);

        Assert.Same(answers, _names.Answers);
        Assert.Equal(changes, _changes);
    }

    [Theory]
    [InlineData(null, 11)]
    [InlineData(40, 41)]
    public async Task A_name_that_is_gone_keeps_its_last_good_addresses_and_is_asked_for_after_valid_or_ten_seconds(int? valid, int seconds)
    {
        _dns.SetA("a.test", 1, "10.0.0.1");
        var name = Name("a.test", Resolver with { Valid = valid is { } known ? TimeSpan.FromSeconds(known) : null });
        await UseAsync(name);
        _dns.Remove("a.test");
        _time.Advance(TimeSpan.FromSeconds(valid + 1 ?? 2));
        await ErrorAsync(name, "NXDOMAIN");
        Assert.Equal(["10.0.0.1"], Addresses(name));

        _dns.SetA("a.test", 1, "10.0.0.2");
        await AdvanceAsync(TimeSpan.FromSeconds(seconds) - Millisecond);
        Assert.Equal(2, Asked("a.test"));

        _time.Advance(Millisecond);
        await HoldsAsync(name, "10.0.0.2");
        Assert.Null(_names.Answers[name].Error);
    }

    [Fact]
    public async Task A_name_without_addresses_counts_as_gone()
    {
        _dns.Set("a.test", DnsRecord.A);
        var name = Name("a.test");
        await UseAsync(name);

        Assert.Contains("NXDOMAIN", _names.Answers[name].Error, StringComparison.Ordinal);
        Assert.Empty(Addresses(name));
    }

    [Theory]
    [InlineData(2, "SERVFAIL", 0.2, 1)]
    [InlineData(2, "SERVFAIL", 30, 30)]
    [InlineData(5, "REFUSED", 7, 7)]
    [InlineData(1, "FORMERR", 7, 7)]
    [InlineData(4, "makes sense", 7, 7)]
    public async Task Another_failure_keeps_the_addresses_and_is_tried_again_after_the_timeout_or_a_second(
        int code, string word, double timeout, int seconds)
    {
        _dns.SetA("a.test", 1, "10.0.0.1");
        var name = Name("a.test", Resolver with { Timeout = TimeSpan.FromSeconds(timeout) });
        await UseAsync(name);
        _dns.Fail("a.test", code);
        _time.Advance(TimeSpan.FromSeconds(2));
        await ErrorAsync(name, word);
        Assert.Equal(["10.0.0.1"], Addresses(name));

        _dns.SetA("a.test", 1, "10.0.0.2");
        await AdvanceAsync(TimeSpan.FromSeconds(seconds) - Millisecond);
        Assert.Equal(2, Asked("a.test"));

        _time.Advance(Millisecond);
        await HoldsAsync(name, "10.0.0.2");
    }

    [Fact]
    public async Task A_silent_server_is_asked_every_five_seconds_until_the_timeout()
    {
        _dns.Ignore("a.test");
        var name = Name("a.test", Resolver with { Timeout = TimeSpan.FromSeconds(12) });
        var using_ = UseAsync(name);
        await AskedAsync("a.test", 1);
        _time.Advance(TimeSpan.FromSeconds(5));
        await AskedAsync("a.test", 2);
        _time.Advance(TimeSpan.FromSeconds(5));
        await AskedAsync("a.test", 3);
        Assert.False(using_.IsCompleted);

        _time.Advance(TimeSpan.FromSeconds(2));
        await using_;

        Assert.Contains("in time", _names.Answers[name].Error, StringComparison.Ordinal);
        Assert.Equal(3, Asked("a.test"));
    }

    [Fact]
    public async Task Servers_take_turns_and_a_silent_one_leaves_the_question_to_the_next()
    {
        await using var other = DnsServer.Start();
        _dns.Silent = true;
        other.SetA("a.test", 1, "10.0.0.1");
        var name = Name("a.test", Resolver with { Servers = [_dns.EndPoint, other.EndPoint] });
        var using_ = UseAsync(name);
        await AskedAsync("a.test", 1);

        _time.Advance(TimeSpan.FromSeconds(5));
        await using_;
        Assert.Equal(["10.0.0.1"], Addresses(name));

        // The next question begins with the other server.
        other.SetA("a.test", 1, "10.0.0.2");
        _time.Advance(TimeSpan.FromSeconds(2));
        await HoldsAsync(name, "10.0.0.2");
        Assert.Equal((1, 2), (_dns.Asked.Count, other.Asked.Count));
    }

    [Fact]
    public async Task A_server_that_fails_leaves_the_question_to_the_next_at_once()
    {
        await using var other = DnsServer.Start();
        _dns.Fail("a.test", 2);
        other.SetA("a.test", 1, "10.0.0.1");
        var name = Name("a.test", Resolver with { Servers = [_dns.EndPoint, other.EndPoint] });

        await UseAsync(name);

        Assert.Equal(["10.0.0.1"], Addresses(name));
        Assert.Equal((1, 1), (_dns.Asked.Count, other.Asked.Count));
    }

    [Theory]
    [InlineData(true, true, new[] { DnsRecord.A, DnsRecord.Aaaa }, "10.0.0.1 2001:db8::1")]
    [InlineData(true, false, new[] { DnsRecord.A }, "10.0.0.1")]
    [InlineData(false, true, new[] { DnsRecord.Aaaa }, "2001:db8::1")]
    public async Task Only_the_wanted_families_are_asked_for(bool ipv4, bool ipv6, int[] types, string addresses)
    {
        _dns.SetA("a.test", 1, "10.0.0.1");
        _dns.SetAaaa("a.test", 1, "2001:db8::1");
        var name = Name("a.test", Resolver with { Ipv4 = ipv4, Ipv6 = ipv6 });

        await UseAsync(name);

        Assert.Equal(types, _dns.Asked.Select(asked => asked.Type).Order());
        Assert.Equal(addresses.Split(' '), Addresses(name));
    }

    [Fact]
    public async Task A_family_without_addresses_is_no_failure_and_takes_the_former_ones_away()
    {
        _dns.SetA("a.test", 1, "10.0.0.1");
        _dns.SetAaaa("a.test", 1, "2001:db8::1");
        var name = Name("a.test", Resolver with { Ipv6 = true });
        await UseAsync(name);

        _dns.Set("a.test", DnsRecord.A);
        _time.Advance(TimeSpan.FromSeconds(2));

        await HoldsAsync(name, "2001:db8::1");
        Assert.Null(_names.Answers[name].Error);
    }

    [Fact]
    public async Task A_truncated_answer_is_asked_for_by_tcp()
    {
        string[] many = [.. Enumerable.Range(0, 200).Select(i => $"10.0.1.{i}")];
        _dns.SetA("a.test", 1, many);
        _dns.Truncates = true;
        var name = Name("a.test");

        await UseAsync(name);

        Assert.Equal(200, Addresses(name).Length);
        Assert.Equal([false, true], _dns.Asked.Select(asked => asked.Tcp));
    }

    [Fact]
    public async Task Aliases_are_followed_and_their_ttl_counts()
    {
        _dns.Set("a.test", DnsRecord.CName, DnsRecord.Alias("a.test", "b.test", 5));
        _dns.Set("b.test", DnsRecord.CName, DnsRecord.Alias("B.test", "C.test", 50));
        _dns.SetA("c.test", 50, "10.0.0.1");
        var name = Name("a.test");
        await UseAsync(name);
        Assert.Equal(["10.0.0.1"], Addresses(name));

        _dns.SetA("c.test", 50, "10.0.0.2");
        _time.Advance(TimeSpan.FromSeconds(6));
        await HoldsAsync(name, "10.0.0.2");
    }

    [Fact]
    public async Task Aliases_in_the_answer_itself_are_followed_and_records_of_other_names_are_not_believed()
    {
        _dns.Set("a.test", DnsRecord.A,
            DnsRecord.Address("evil.test", "10.6.6.6", 1), DnsRecord.Alias("a.test", "b.test", 1), DnsRecord.Address("b.test", "10.0.0.1", 1));
        var name = Name("a.test");

        await UseAsync(name);

        Assert.Equal(["10.0.0.1"], Addresses(name));
        Assert.Single(_dns.Asked);
    }

    [Fact]
    public async Task Aliases_in_a_circle_end()
    {
        _dns.Set("a.test", DnsRecord.CName, DnsRecord.Alias("a.test", "b.test", 1));
        _dns.Set("b.test", DnsRecord.CName, DnsRecord.Alias("b.test", "a.test", 1));
        var name = Name("a.test");

        await UseAsync(name);

        Assert.NotNull(_names.Answers[name].Error);
        Assert.InRange(_dns.Asked.Count, 2, 16);
    }

    [Theory]
    [InlineData("http", "_http._tcp.a.test")]
    [InlineData("_x._udp", "_x._udp.a.test")]
    public async Task A_service_is_asked_for_by_its_name(string service, string question)
    {
        _dns.SetSrv(question, 1, (10, 3, 8080, "b.test"), (20, 0, 8081, "c.test"));
        _dns.SetA("b.test", 1, "10.0.0.2", "10.0.0.1");
        _dns.SetA("c.test", 1, "10.0.0.3");
        var name = new NameQuery("a.test", service, Resolver);

        await UseAsync(name);

        Assert.Equal(
            ["10.0.0.1:8080 b.test 10 3", "10.0.0.2:8080 b.test 10 3", "10.0.0.3:8081 c.test 20 0"],
            _names.Answers[name].Addresses.Select(known =>
                $"{known.Address}:{known.Service!.Port} {known.Service.Target} {known.Service.Priority} {known.Service.Weight}"));
    }

    [Fact]
    public async Task A_service_is_asked_for_again_when_the_first_of_its_answers_expires_and_a_new_weight_is_taken()
    {
        _dns.SetSrv("_http._tcp.a.test", 50, (1, 1, 80, "b.test"), (1, 1, 80, "c.test"));
        _dns.SetA("b.test", 9, "10.0.0.1");
        _dns.SetA("c.test", 50, "10.0.0.2");
        var name = new NameQuery("a.test", "http", Resolver);
        await UseAsync(name);

        _dns.SetSrv("_http._tcp.a.test", 50, (1, 1, 80, "c.test"), (1, 7, 80, "b.test"));
        await AdvanceAsync(TimeSpan.FromSeconds(10) - Millisecond);
        Assert.Equal(1, Asked("b.test"));
        _time.Advance(Millisecond);

        await Eventually.HoldsAsync(() => _names.Answers[name].Addresses[0].Service!.Weight == 7, "the new weight");
        Assert.Equal(["10.0.0.1", "10.0.0.2"], Addresses(name));
    }

    [Fact]
    public async Task A_target_that_cannot_be_had_keeps_its_addresses_and_one_that_never_was_adds_none()
    {
        _dns.SetSrv("_http._tcp.a.test", 1, (1, 1, 80, "b.test"), (1, 1, 80, "c.test"), (1, 1, 80, "never.test"));
        _dns.SetA("b.test", 1, "10.0.0.1");
        _dns.SetA("c.test", 1, "10.0.0.2");
        var name = new NameQuery("a.test", "http", Resolver with { Timeout = TimeSpan.FromSeconds(1) });
        await UseAsync(name);
        Assert.Equal(["10.0.0.1", "10.0.0.2"], Addresses(name));

        _dns.Fail("b.test", 2);
        _dns.SetA("c.test", 1, "10.0.0.3");
        _time.Advance(TimeSpan.FromSeconds(2));

        await HoldsAsync(name, "10.0.0.1", "10.0.0.3");
    }

    [Theory]
    [InlineData(".")]
    [InlineData("never.test")]
    public async Task A_service_that_leads_nowhere_counts_as_gone(string target)
    {
        _dns.SetSrv("_http._tcp.a.test", 1, (1, 1, 80, target));
        var name = new NameQuery("a.test", "http", Resolver);

        await UseAsync(name);

        Assert.Contains("NXDOMAIN", _names.Answers[name].Error, StringComparison.Ordinal);
        Assert.Empty(Addresses(name));
    }

    [Fact]
    public async Task A_name_that_nobody_uses_any_more_is_not_asked_for_and_its_zone_is_gone()
    {
        _dns.SetA("a.test", 1, "10.0.0.1");
        _dns.SetA("b.test", 1, "10.0.0.2");
        var (left, stays) = (Name("a.test", Resolver with { StatusZone = "z" }), Name("b.test"));
        await UseAsync(left, stays);

        _used.Remove(left);
        await UseAsync();
        await AskedAgainAsync("b.test", 3);

        Assert.Equal(1, Asked("a.test"));
        Assert.Equal([stays], _names.Answers.Keys);
        Assert.Equal(["z: A", "z: NoError", "z: gone"], _told);
    }

    [Fact]
    public async Task What_was_under_way_for_a_name_that_is_gone_says_nothing()
    {
        _dns.SetA("a.test", 1, "10.0.0.1");
        _dns.Hold();
        var name = Name("a.test", Resolver with { StatusZone = "z" });
        var using_ = UseAsync(name);
        await AskedAsync("a.test", 1);

        _used.Clear();
        await UseAsync();
        await using_;
        _dns.Release();
        await SettleAsync();

        Assert.False(_names.Answers.ContainsKey(name));
        Assert.Equal(["z: A", "z: gone"], _told);
    }

    [Fact]
    public async Task Another_resolver_of_the_same_name_begins_with_what_was_known()
    {
        _dns.SetA("a.test", 1, "10.0.0.1");
        var former = Name("a.test");
        await UseAsync(former);
        _dns.Hold();
        var name = Name("a.test", Resolver with { Valid = TimeSpan.FromSeconds(9) });

        _used.Remove(former);
        await UseAsync(name);

        Assert.Equal(["10.0.0.1"], Addresses(name));
        Assert.Equal([name], _names.Answers.Keys);
        _dns.Release();
    }

    [Fact]
    public async Task Only_so_many_questions_are_under_way_at_once()
    {
        NameQuery[] names = [.. Enumerable.Range(0, 200).Select(i => Name($"n{i}.test"))];
        foreach (var name in names) _dns.SetA(name.Host, 60, "10.0.0.1");
        _dns.Hold();

        var using_ = UseAsync(names);
        await Eventually.HoldsAsync(() => _dns.Waiting == NameServers.AtOnce, "as many questions as there may be");
        Assert.Equal(NameServers.AtOnce, _dns.Asked.Count);
        _dns.Release();
        await using_;

        Assert.Equal(200, _names.Answers.Count);
        Assert.Equal(200, _dns.Asked.Count);
    }

    [Fact]
    public async Task Waits_for_a_first_answer_no_longer_than_the_patience_and_tells_a_later_one()
    {
        _dns.SetA("a.test", 60, "10.0.0.1");
        _dns.Hold();
        var name = Name("a.test");
        var using_ = _names.UseAsync(new HashSet<NameQuery> { name }, TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(1));
        await using_;
        Assert.Equal(0, _changes);

        _dns.Release();

        await HoldsAsync(name, "10.0.0.1");
        await Eventually.HoldsAsync(() => _changes == 1, "the change is told");
    }

    [Fact]
    public async Task Counts_what_a_resolver_with_a_zone_is_asked_and_answers()
    {
        _dns.SetSrv("_http._tcp.a.test", 60, (1, 1, 80, "b.test"));
        _dns.SetA("b.test", 60, "10.0.0.1");
        _dns.Fail("c.test", 2);
        var resolver = Resolver with { StatusZone = "z", Ipv6 = true };

        await UseAsync(new NameQuery("a.test", "http", resolver), Name("c.test", resolver with { Ipv6 = false }), Name("d.test"));

        Assert.Equal(
            ["z: A", "z: A", "z: Aaaa", "z: NoError", "z: NoError", "z: NoError", "z: ServFail", "z: Srv"], _told.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_server_that_nobody_is_at_counts_as_one_that_fails_or_is_silent()
    {
        var name = Name("a.test", new() { Servers = [new(IPAddress.Loopback, FreePort.Next())], Ipv6 = false, Timeout = TimeSpan.FromSeconds(4) });
        var using_ = UseAsync(name);
        await Eventually.HoldsAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return using_.IsCompleted;
        }, "it gives up");

        Assert.NotNull(_names.Answers[name].Error);
    }

    [Fact]
    public async Task A_name_that_cannot_be_asked_for_counts_as_gone()
    {
        var name = Name($"{new string('x', 64)}.test");

        await UseAsync(name);

        Assert.Contains("NXDOMAIN", _names.Answers[name].Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_asked_after_the_end()
    {
        _dns.SetA("a.test", 1, "10.0.0.1");
        _dns.Ignore("b.test");
        await UseAsync(Name("a.test"));
        var using_ = UseAsync(Name("b.test"));
        await AskedAsync("b.test", 1);

        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => using_);
        _time.Advance(TimeSpan.FromMinutes(1));
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal((1, 1), (Asked("a.test"), Asked("b.test")));
    }

    void IResolverObserver.Asked(string zone, QuestionKind kind) => _told.Enqueue($"{zone}: {kind}");

    void IResolverObserver.Answered(string zone, QuestionOutcome outcome) => _told.Enqueue($"{zone}: {outcome}");

    void IResolverObserver.Gone(string zone) => _told.Enqueue($"{zone}: gone");

    private NameQuery Name(string host, ResolverSettings? resolver = null) => new(host, null, resolver ?? Resolver);

    private Task UseAsync(params NameQuery[] names)
    {
        _used.UnionWith(names);
        return _names.UseAsync(new HashSet<NameQuery>(_used), TimeSpan.FromHours(1));
    }

    private string[] Addresses(NameQuery name) => [.. _names.Answers[name].Addresses.Select(known => known.Address.ToString())];

    private int Asked(string name) => _dns.Asked.Count(asked => asked.Name == name);

    private Task AskedAsync(string name, int times) => Eventually.HoldsAsync(() => Asked(name) >= times, $"{name} is asked for {times} times");

    private Task HoldsAsync(NameQuery name, params string[] addresses) => Eventually.HoldsAsync(
        () => _names.Answers.ContainsKey(name) && Addresses(name).SequenceEqual(addresses), $"{name.Host} has {string.Join(", ", addresses)}");

    private Task ErrorAsync(NameQuery name, string word) => Eventually.HoldsAsync(
        () => _names.Answers[name].Error?.Contains(word, StringComparison.Ordinal) == true, $"{name.Host} failed with {word}");

    /// <summary>Lets time pass, and gives a question that should not be asked the chance to arrive.</summary>
    private async Task AdvanceAsync(TimeSpan time)
    {
        _time.Advance(time);
        await SettleAsync();
    }

    /// <summary>Asks for a few other names from beginning to end: what began before has arrived by then.</summary>
    private async Task SettleAsync()
    {
        for (var i = 0; i < 3; i++)
        {
            var other = Name($"settle{_settled++}.test", Resolver with { Valid = TimeSpan.FromDays(1) });
            _dns.SetA(other.Host, 60, "10.9.9.9");
            await UseAsync(other);
        }
    }

    /// <summary>Lets second after second pass until the name was asked for so often.</summary>
    private Task AskedAgainAsync(string name, int times) => Eventually.HoldsAsync(() =>
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        return Asked(name) >= times;
    }, $"{name} is asked for {times} times");
}
