using System.Collections.Immutable;
using BenchmarkDotNet.Attributes;
using StickyIngress.Core.Balancing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Benchmarks;

/// <summary>
/// Budget: where one of 10,000 peers is replaced, the consistent hash with its ring of 1.6 million points is made in at most
/// 5 ms. Building it anew is for comparison.
/// </summary>
[MemoryDiagnoser]
public class RingBenchmark
{
    private const int Peers = 10_000;

    private readonly PeerGroup[] _groups = new PeerGroup[2];
    private ConsistentHashBalancer _last = null!;
    private int _next;

    [GlobalSetup]
    public void Setup()
    {
        var peers = SamplePeers.Upstream(Peers + 1, weights: 1, MakeNone).Primaries.Peers;
        _groups[0] = Group(peers.RemoveAt(Peers));
        _groups[1] = Group(peers.RemoveAt(Peers / 2));
        _last = new(_groups[0], PeerGroup.Empty, Template.Empty, previous: null);
    }

    [Benchmark]
    public IBalancer OnePeerReplaced() =>
        _last = new(_groups[++_next & 1], PeerGroup.Empty, Template.Empty, previous: _last);

    [Benchmark]
    public IBalancer Anew() => new ConsistentHashBalancer(_groups[0], PeerGroup.Empty, Template.Empty, previous: null);

    private static PeerGroup Group(ImmutableArray<Peer> peers) => new(peers, backup: false, single: false);

    private static IBalancer MakeNone(PeerGroup group) => new RoundRobinBalancer(group, PeerGroup.Empty);
}
