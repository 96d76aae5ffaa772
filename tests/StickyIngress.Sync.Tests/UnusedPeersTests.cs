using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Testing;

namespace StickyIngress.Sync.Tests;

/// <summary>When shared changes of peers leave the store.</summary>
public sealed class UnusedPeersTests : IAsyncLifetime
{
    private static readonly PeerRef Peer = new(new("web", "shop"), new("s0", new("5f0c6bd2"), "10.0.0.1:80"));

    private readonly CancellationTokenSource _stop = new();
    private readonly PeerOverridesHolder _overrides = new();
    private readonly HashSet<PeerRef> _peers = [];
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private RedisServer _server = null!;
    private RedisConnection _connection = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await RedisServer.StartAsync();
        _connection = new(new() { Store = "redis://" + _server.Address }, TimeProvider.System, NullLogger<RedisConnection>.Instance);
        _ = _connection.RunAsync(_stop.Token);
        await Eventually.HoldsAsync(async () =>
        {
            try
            {
                await _connection.Database.PingAsync();
                return true;
            }
            catch (IOException)
            {
                return false;
            }
        }, "it is connected", Stop);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _connection.DisposeAsync();
        await _server.DisposeAsync();
        _stop.Dispose();
    }

    [Fact]
    public async Task What_was_undone_goes_after_a_week_and_not_before()
    {
        await StoreAsync(PeerOverride.None);
        _peers.Add(Peer);

        await LookAsync(TimeSpan.Zero);
        await LookAsync(TimeSpan.FromDays(6.9));
        Assert.Equal(1, await StoredAsync());
        await LookAsync(TimeSpan.FromDays(0.2));

        Assert.Equal(0, await StoredAsync());
    }

    [Fact]
    public async Task A_change_of_a_peer_that_nobody_has_is_undone_after_a_week()
    {
        await StoreAsync(Drained());

        await LookAsync(TimeSpan.Zero);
        await LookAsync(TimeSpan.FromDays(6.9));
        Assert.True(_overrides.Current.Of(Peer).Drain);
        await LookAsync(TimeSpan.FromDays(0.2));

        Assert.Equal(PeerOverride.None, _overrides.Current.Of(Peer));
    }

    [Fact]
    public async Task A_peer_that_is_back_keeps_its_change_and_may_be_away_for_a_week_again()
    {
        await StoreAsync(Drained());
        await LookAsync(TimeSpan.Zero);

        _peers.Add(Peer);
        await LookAsync(TimeSpan.FromDays(6));
        await LookAsync(TimeSpan.FromDays(30));
        _peers.Clear();
        await LookAsync(TimeSpan.FromHours(2));
        await LookAsync(TimeSpan.FromDays(6));

        Assert.Equal((true, 1), (_overrides.Current.Of(Peer).Drain, await StoredAsync()));
    }

    [Fact]
    public async Task What_another_version_wrote_stays()
    {
        await _connection.Database.HashSetAsync("sticky-ingress:peers", SharedPeers.Field(Peer), """{"drain":true,"later":1}""");

        await LookAsync(TimeSpan.Zero);
        await LookAsync(TimeSpan.FromDays(30));

        Assert.Equal(1, await StoredAsync());
    }

    private PeerOverride Drained()
    {
        _overrides.Change(Peer, static one => one with { Drain = true });
        return _overrides.Current.Of(Peer);
    }

    private Task<bool> StoreAsync(PeerOverride change) =>
        _connection.Database.HashSetAsync("sticky-ingress:peers", SharedPeers.Field(Peer), SharedPeers.Value(change));

    private Task<long> StoredAsync() => _connection.Database.HashLengthAsync("sticky-ingress:peers");

    /// <summary>A replica that was started just now looks after some time.</summary>
    private async Task LookAsync(TimeSpan later)
    {
        _time.Advance(later);
        await new UnusedPeers(_connection, _overrides, () => _peers, _time).SweepAsync();
    }
}
