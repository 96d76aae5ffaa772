using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Core.Sessions;

namespace StickyIngress.Core.Tests.Sessions;

public sealed class SessionFileTests : IDisposable
{
    private static readonly SessionTableOptions Options = new(2_000_000, TimeSpan.FromMinutes(10));

    private readonly FakeTimeProvider _time = new();
    private readonly byte[] _secret = new byte[16];
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Sessions_survive_a_restart_with_their_peers_and_age()
    {
        Save(sessions: 100);
        _time.Advance(TimeSpan.FromMinutes(9));
        using var zones = new SessionZones(_secret, _time);

        var result = zones.Load(_path);
        var zone = zones.GetOrAdd("shop", Options);

        Assert.Equal(SessionFileOutcome.Loaded, result.Outcome);
        Assert.True(zone.Table.TryFind(zone.Hasher.Hash("id 42"), out var ordinal));
        Assert.Equal("pod-b", zone.Peers.PeerAt(ordinal));
        _time.Advance(TimeSpan.FromMinutes(1));
        zone.Table.Sweep();
        Assert.False(zone.Table.TryFind(zone.Hasher.Hash("id 42"), out _));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(11)]
    [InlineData(100)]
    [InlineData(1_000)]
    public void A_torn_file_is_refused_whole(int length)
    {
        Save(sessions: 100);
        using (var file = File.OpenWrite(_path)) file.SetLength(length);

        Assert.Equal((SessionFileOutcome.Torn, 0), Outcome(_secret));
    }

    [Theory]
    [InlineData(0, SessionFileOutcome.Foreign)]
    [InlineData(8, SessionFileOutcome.OtherVersion)]
    [InlineData(500, SessionFileOutcome.Torn)]
    public void A_changed_file_is_refused_whole(int position, SessionFileOutcome expected)
    {
        Save(sessions: 100);
        var bytes = File.ReadAllBytes(_path);
        bytes[position] ^= 0x10;
        File.WriteAllBytes(_path, bytes);

        Assert.Equal((expected, 0), Outcome(_secret));
    }

    [Fact]
    public void A_file_of_another_secret_and_a_missing_one_are_told_apart()
    {
        Save(sessions: 1);
        Assert.Equal((SessionFileOutcome.OtherSecret, 0), Outcome([.. Enumerable.Repeat((byte)1, 16)]));

        File.Delete(_path);
        Assert.Equal((SessionFileOutcome.Missing, 0), Outcome(_secret));
    }

    [Fact]
    public void Two_million_sessions_load()
    {
        Save(sessions: 2_000_000);
        var watch = Stopwatch.StartNew();

        using var zones = new SessionZones(_secret, _time);
        zones.Load(_path);
        var zone = zones.GetOrAdd("shop", Options);

        TestContext.Current.TestOutputHelper?.WriteLine($"loaded {zone.Table.Count} in {watch.ElapsedMilliseconds} ms");
        Assert.Equal(2_000_000, zone.Table.Count);
    }

    [Fact]
    public void A_number_is_reused_only_when_its_peer_is_gone_and_has_no_session()
    {
        var zone = new SessionZone("shop", _secret, Options, _time);
        var gone = zone.Peers.Assign("pod-a");
        zone.Table.Learn(zone.Hasher.Hash("id"), gone, mayCreate: true);

        zone.Peers.Release("pod-a", () => false);
        Assert.Equal(0, zone.Peers.Reclaim(zone.Table));
        Assert.NotEqual(gone, zone.Peers.Assign("pod-b"));

        _time.Advance(Options.Timeout);
        zone.Table.Sweep();
        Assert.Equal(1, zone.Peers.Reclaim(zone.Table));
        Assert.Equal(gone, zone.Peers.Assign("pod-c"));
        Assert.Equal("pod-c", zone.Peers.PeerAt(gone));
    }

    [Fact]
    public void A_number_is_not_reused_while_a_request_holds_its_peer()
    {
        var zone = new SessionZone("shop", _secret, Options, _time);
        zone.Peers.Assign("pod-a");
        var held = true;

        zone.Peers.Release("pod-a", () => held);
        Assert.Equal(0, zone.Peers.Reclaim(zone.Table));

        held = false;
        Assert.Equal(1, zone.Peers.Reclaim(zone.Table));
    }

    [Fact]
    public void The_timer_sweeps_within_a_second_of_due()
    {
        using var zones = new SessionZones(_secret, _time);
        var zone = zones.GetOrAdd("shop", Options);
        zone.Table.Learn(zone.Hasher.Hash("id"), 0, mayCreate: true);

        _time.Advance(Options.Timeout + TimeSpan.FromSeconds(1));

        Assert.Equal(0, zone.Table.Count);
    }

    private void Save(int sessions)
    {
        using var zones = new SessionZones(_secret, _time);
        var zone = zones.GetOrAdd("shop", Options);
        zone.Peers.Assign("pod-a");
        var ordinal = zone.Peers.Assign("pod-b");
        for (var i = 0; i < sessions; i++) zone.Table.Learn(zone.Hasher.Hash($"id {i}"), ordinal, mayCreate: true);
        zones.Save(_path);
    }

    private (SessionFileOutcome, int) Outcome(byte[] secret)
    {
        using var zones = new SessionZones(secret, _time);
        var result = zones.Load(_path);
        return (result.Outcome, result.Zones.Count);
    }
}
