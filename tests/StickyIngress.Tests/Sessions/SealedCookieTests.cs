using StickyIngress.Testing;

namespace StickyIngress.Tests.Sessions;

/// <summary>Cookies with idleTimeout and absoluteTimeout, through the real port: the times are ours to enforce, whatever clients make of the cookie.</summary>
public sealed class SealedCookieTests
{
    private const string Plain = "{ cookie: { name: c } }";
    private const string Idle = "{ cookie: { name: c, idleTimeout: 4s } }";
    private const string Absolute = "{ cookie: { name: c, absoluteTimeout: 3s } }";
    private const string Both = "{ cookie: { name: c, idleTimeout: 1h, absoluteTimeout: 1d } }";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_client_that_keeps_coming_outlives_the_idle_timeout_and_an_old_copy_of_its_cookie_does_not()
    {
        await using var shop = await ExplainedShop.StartAsync(Idle);
        var first = (await shop.AskAsync("/u")).Cookie;
        var newest = first;

        await Eventually.HoldsAsync(
            async () =>
            {
                var mine = await shop.AskAsync("/u", newest);
                Assert.Equal("kept/", mine.Told);
                newest = mine.Cookie ?? newest;
                return (await shop.AskAsync("/u", first)).Told == "rebound/expired";
            },
            "the first cookie has expired", Stop);

        Assert.Equal("kept/", (await shop.AskAsync("/u", newest)).Told);
        Assert.Equal(1, await shop.SumAsync("affinity_breaks_total", "reason=\"expired\""));
    }

    [Fact]
    public async Task However_often_a_client_comes_the_absolute_timeout_ends_its_session_once()
    {
        await using var shop = await ExplainedShop.StartAsync(Absolute);
        var last = await shop.AskAsync("/u");
        var cookie = last.Cookie;

        await Eventually.HoldsAsync(
            async () =>
            {
                last = await shop.AskAsync("/u", cookie);
                cookie = last.Cookie ?? cookie;
                return last.Told != "kept/";
            },
            "the session has ended", Stop);

        Assert.Equal("rebound/expired", last.Told);
        Assert.Equal("kept/", (await shop.AskAsync("/u", cookie)).Told);
        Assert.Equal(1, await shop.SumAsync("affinity_breaks_total"));
    }

    [Fact]
    public async Task A_strict_upstream_balances_an_expired_client_anew_and_does_not_refuse_it()
    {
        await using var shop = await ExplainedShop.StartAsync(Absolute.Replace("{ cookie", "{ onUnavailable: Fail, cookie", StringComparison.Ordinal));
        var cookie = (await shop.AskAsync("/u")).Cookie;
        var answer = await shop.AskAsync("/u", cookie);

        await Eventually.HoldsAsync(
            async () => (answer = await shop.AskAsync("/u", cookie)).Told != "kept/", "the session has ended", Stop);

        Assert.Equal((200, "rebound/expired"), ((int)answer.Status, answer.Told));
    }

    [Fact]
    public async Task Unsealed_and_altered_cookies_are_no_way_around_the_times()
    {
        await using var shop = await ExplainedShop.StartAsync(Plain);
        var unsealed = (await shop.AskAsync("/u")).Cookie!;
        await shop.ChangeAsync(Both);

        var answer = await shop.AskAsync("/u", unsealed);
        Assert.Equal("rebound/unknown", answer.Told);
        var @sealed = answer.Cookie!;
        Assert.Equal("kept/", (await shop.AskAsync("/u", @sealed)).Told);
        var middle = @sealed.Length / 2;
        var altered = @sealed[..middle] + (@sealed[middle] == 'A' ? 'B' : 'A') + @sealed[(middle + 1)..];
        Assert.Equal("rebound/unknown", (await shop.AskAsync("/u", altered)).Told);
    }

    [Fact]
    public async Task A_sealed_session_goes_on_when_the_times_are_taken_away()
    {
        await using var shop = await ExplainedShop.StartAsync(Both);
        var cookie = (await shop.AskAsync("/u")).Cookie!;
        await shop.ChangeAsync(Plain);

        var answer = await shop.AskAsync("/u", cookie);

        Assert.Equal("kept/", answer.Told);
        Assert.True(answer.Cookie!.Length < cookie.Length);
        Assert.Equal("kept/", (await shop.AskAsync("/u", answer.Cookie)).Told);
    }
}
