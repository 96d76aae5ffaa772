using StickyIngress.Core.Affinity;
using StickyIngress.Testing;

namespace StickyIngress.Tests.Sessions;

/// <summary>Every reason for which a session breaks, through the real port: told to the client and counted.</summary>
public sealed class BreakReasonTests
{
    private const string Cookie = "{ cookie: { name: c } }";
    private const string Checked = Cookie + "\nhealthCheck: { path: /health, interval: 200ms }";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<BreakReason> Reasons => [.. Enum.GetValues<BreakReason>().Where(reason => reason != BreakReason.None)];

    [Theory]
    [MemberData(nameof(Reasons))]
    public async Task Each_reason_is_reached_told_and_counted(BreakReason reason)
    {
        var (shop, told) = await BreakAsync(reason);
        await using var _ = shop;

        Assert.Equal("rebound/" + AffinityWords.Of(reason), told);
        Assert.Equal(1, await shop.SumAsync("affinity_breaks_total", $"reason=\"{AffinityWords.Of(reason)}\""));
        Assert.Equal(await shop.SumAsync("affinity_requests_total", "outcome=\"rebound\""), await shop.SumAsync("affinity_breaks_total"));
    }

    private static Task<(ExplainedShop Shop, string? Told)> BreakAsync(BreakReason reason) => reason switch
    {
        BreakReason.PeerGone => BoundAsync(Cookie, async (shop, mine) =>
        {
            await shop.ChangeAsync(Cookie, a: null);
            return await shop.AskAsync("/u", mine);
        }),
        BreakReason.PeerDown => BoundAsync(Cookie, async (shop, mine) =>
        {
            await shop.ChangeAsync(Cookie, a: ", down: true");
            return await shop.AskAsync("/u", mine);
        }),
        BreakReason.PeerSuspended => BoundAsync(Cookie, async (shop, mine) =>
        {
            await shop.AskAsync("/u/fail", mine);
            return await shop.AskAsync("/u", mine);
        }),
        BreakReason.PeerUnhealthy => BoundAsync(Checked, async (shop, mine) =>
        {
            shop.IsSick = true;
            await Eventually.HoldsAsync(async () => await shop.SumAsync("peer_state", "unhealthy") == 1, "a is unhealthy", Stop);
            return await shop.AskAsync("/u", mine);
        }),
        BreakReason.PeerFull => BoundAsync(Cookie, a: ", maxConns: 1", broken: async (shop, mine) =>
        {
            var held = shop.AskAsync("/u/hold", mine);
            await Eventually.HoldsAsync(() => shop.RequestsToA.Contains("GET /u/hold"), "a is busy", Stop);
            var answer = await shop.AskAsync("/u", mine);
            shop.Release();
            await held;
            return answer;
        }),
        BreakReason.ConnectFailed => BoundAsync(Cookie, async (shop, mine) =>
        {
            await shop.StopAAsync();
            await Eventually.HoldsAsync(async () => await shop.SumAsync("peer_connections", "idle") == 0, "the kept connection is gone", Stop);
            return await shop.AskAsync("/u", mine);
        }),
        BreakReason.PeerFailed => BoundAsync(Cookie, (shop, mine) => shop.AskAsync("/u/fail", mine)),
        BreakReason.Expired => BoundAsync(Learn("maxSessions: 9, timeout: 500ms"), async (shop, _) =>
        {
            await Eventually.HoldsAsync(async () => await shop.SumAsync("session_table_ended_total", "timeout") == 1, "the session is over", Stop);
            return await shop.AskAsync("/u?s=1");
        }),
        BreakReason.Unknown => BoundAsync(Cookie, (shop, _) => shop.AskAsync("/u", "c=forged")),
        BreakReason.Evicted => BoundAsync(Learn("maxSessions: 1"), async (shop, _) =>
        {
            await shop.AskAsync("/u?s=2");
            return await shop.AskAsync("/u?s=1");
        }),
        BreakReason.PeerBackup => BoundAsync(Cookie, a: ", down: true", b: ", backup: true", broken: async (shop, mine) =>
        {
            await shop.ChangeAsync(Cookie, b: ", backup: true");
            return await shop.AskAsync("/u", mine);
        }),
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "has no test"),
    };

    /// <summary>A shop with a client that has come once, and what the client is told after its session was broken.</summary>
    private static async Task<(ExplainedShop Shop, string? Told)> BoundAsync(
        string sticky, Func<ExplainedShop, string?, Task<Explained>> broken, string a = "", string b = "")
    {
        var shop = await ExplainedShop.StartAsync(sticky, a, b);
        var first = await shop.AskAsync("/u?s=1");
        Assert.Equal("new/", first.Told);
        return (shop, (await broken(shop, first.Cookie)).Told);
    }

    private static string Learn(string zone) => $"{{ learn: {{ create: [$arg_s], lookup: [$arg_s], {zone}, header: true }} }}";
}
