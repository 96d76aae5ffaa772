using CsCheck;
using StickyIngress.Core.Balancing;

namespace StickyIngress.Core.Tests.Balancing;

public sealed class KetamaRingTests
{
    private static readonly Gen<string> Servers = Gen.Select(
        Gen.Int[0, 40], Gen.Int[1, 3], (number, weight) => $"10.0.0.{number}:80 weight={weight}")
        .Array[20, 60].Select(servers => string.Join(", ", servers.DistinctBy(server => server.Split(' ')[0])));

    [Fact]
    public void Changing_a_ring_and_building_it_anew_come_to_the_same() =>
        Servers.Array[2, 6].Sample(
            snapshots =>
            {
                KetamaRing? ring = null;
                foreach (var servers in snapshots)
                {
                    var peers = new TestUpstream(servers).Upstream.Primaries.Peers;
                    ring = KetamaRing.Build(peers, ring, out var numbers);
                    var fresh = KetamaRing.Build(peers, previous: null, out var freshNumbers);

                    var texts = peers.Zip(numbers).DistinctBy(pair => pair.Second).ToDictionary(pair => pair.Second, pair => pair.First.Server);
                    var freshTexts = peers.Zip(freshNumbers).ToDictionary(pair => pair.Second, pair => pair.First.Server);
                    Assert.Equal(Walk(fresh, freshTexts), Walk(ring, texts));
                }
            },
            iter: 60);

    [Fact]
    public void Ring_with_one_peer_less_keeps_the_numbers_and_the_order()
    {
        var servers = Enumerable.Range(0, 300).Select(i => $"10.0.{i / 100}.{i % 100}:80").ToArray();
        var before = KetamaRing.Build(new TestUpstream(string.Join(", ", servers)).Upstream.Primaries.Peers, null, out var numbersBefore);
        var fewer = new TestUpstream(string.Join(", ", servers.Where((_, i) => i != 150))).Upstream.Primaries.Peers;

        var changed = KetamaRing.Build(fewer, before, out var numbers);

        Assert.Equal(300, changed.Numbers);
        Assert.DoesNotContain(numbersBefore[150], numbers);
        var fresh = KetamaRing.Build(fewer, previous: null, out var freshNumbers);
        Assert.Equal(
            Walk(fresh, fewer.Zip(freshNumbers).ToDictionary(pair => pair.Second, pair => pair.First.Server)),
            Walk(changed, fewer.Zip(numbers).ToDictionary(pair => pair.Second, pair => pair.First.Server)));
    }

    [Fact]
    public void The_same_servers_share_one_ring()
    {
        var peers = new TestUpstream("a:1, b:2, c:3").Upstream.Primaries.Peers;
        var before = KetamaRing.Build(peers, previous: null, out _);

        Assert.Same(before, KetamaRing.Build([.. peers.Reverse()], before, out _));
    }

    [Fact]
    public void Numbers_of_servers_that_went_are_used_again()
    {
        var stable = string.Join(", ", Enumerable.Range(0, 50).Select(i => $"s{i}:80"));
        KetamaRing? ring = null;
        for (var i = 0; i < 100; i++)
            ring = KetamaRing.Build(new TestUpstream($"{stable}, pod{i}:80").Upstream.Primaries.Peers, ring, out _);

        Assert.InRange(ring!.Numbers, 51, 52);
    }

    [Fact]
    public void Rounds_the_end_of_the_ring()
    {
        var ring = KetamaRing.Build(new TestUpstream("a:1, b:2").Upstream.Primaries.Peers, previous: null, out _);

        Assert.Equal(ring.Find(0), ring.Find(uint.MaxValue));
    }

    [Fact]
    public void Finds_the_first_point_that_is_not_below_the_hash()
    {
        var peers = new TestUpstream(string.Join(", ", Enumerable.Range(0, 40).Select(i => $"s{i}:80"))).Upstream.Primaries.Peers;
        var ring = KetamaRing.Build(peers, previous: null, out _);
        var points = Points(ring).Select(point => point.Hash).ToArray();

        Assert.Equal(40 * 160, points.Length);
        Gen.UInt.Sample(hash => Assert.Equal(points.FirstOrDefault(point => point >= hash, points[0]), ring.Find(hash).Hash));
    }

    [Fact]
    public void A_ring_that_grows_or_shrinks_by_steps_stays_the_same_as_a_new_one()
    {
        KetamaRing? ring = null;
        foreach (var count in Enumerable.Range(10, 90).Concat(Enumerable.Range(10, 90).Reverse()))
        {
            var peers = new TestUpstream(string.Join(", ", Enumerable.Range(0, count).Select(i => $"s{i}:80"))).Upstream.Primaries.Peers;
            ring = KetamaRing.Build(peers, ring, out _);

            var fresh = KetamaRing.Build(peers, previous: null, out _);
            Assert.Equal(Points(fresh).Select(point => point.Hash), Points(ring).Select(point => point.Hash));
        }
    }

    /// <summary>The servers in the order of the ring.</summary>
    private static string Walk(KetamaRing ring, Dictionary<int, string> texts) =>
        string.Join(' ', Points(ring).Select(point => texts[point.Server]));

    private static IEnumerable<RingPoint> Points(KetamaRing ring)
    {
        var point = ring.Find(0);
        var last = default(RingPoint?);
        for (; last is not { } former || point.Hash > former.Hash; point = ring.Find(point.Hash + 1))
        {
            yield return point;
            last = point;
        }
    }
}
