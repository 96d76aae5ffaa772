using System.Net;
using BenchmarkDotNet.Attributes;
using StickyIngress.Core;
using StickyIngress.Core.Balancing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Benchmarks;

/// <summary>
/// Budget: a pick from 100 peers takes at most 1 µs; from 10,000 peers at most 2 µs by the hashes and random, and at most 5 µs
/// by round robin, least_conn and least_time. None allocates. Weights are 1 to 5, nobody is unavailable, and each request is
/// counted in and out, so that what follows the counts has its work.
/// </summary>
[MemoryDiagnoser]
public class PickBenchmark
{
    private const int Requests = 1024;

    private readonly Selection[] _selections = new Selection[Requests];
    private IBalancer _balancer = null!;
    private long _now;
    private int _next;

    public enum Method
    {
        RoundRobin,
        LeastConn,
        LeastTime,
        LeastTimeInflight,

        /// <summary>Peers of different weights are equal, so all are looked at.</summary>
        LeastTimeTied,
        Hash,
        HashConsistent,
        IpHash,
        Random,
        RandomTwo,
    }

    [Params(100, 10_000)]
    public int Peers { get; set; }

    [ParamsAllValues]
    public Method Balancing { get; set; }

    /// <summary>least_time looks at every peer where equal ones have different weights, so the same for all is measured too.</summary>
    [Params(1, 5)]
    public int Weights { get; set; }

    /// <summary>One peer in the middle fails its checks, so that all are looked at. For the report; here nobody is unavailable.</summary>
    public bool OneUnavailable { get; set; }

    /// <summary>Each request has tried the first peer already. For the report.</summary>
    public bool SecondTry { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var upstream = SamplePeers.Upstream(Peers, Weights, group => _balancer = Make(group, Balancing));
        for (var i = 0; i < Requests; i++)
            _selections[i] = new(upstream, new SampleRequest($"/page/{i}", new IPAddress(i * 7919L)), maxTries: 0);

        _now = 1_700_000_000_000;
        upstream.Primaries.Peers[Peers / 2].State.Unhealthy = OneUnavailable;
        if (SecondTry)
        {
            foreach (var selection in _selections) selection.MarkTried(upstream.Primaries.Peers[0]);
        }

        if (Balancing == Method.LeastTimeTied)
        {
            // 20 ms for each unit of weight.
            foreach (var peer in upstream.Peers) (peer.State.HeaderTime, peer.State.Checked) = ((peer.Weight - 1) * 20, _now / 1000);
        }
    }

    [Benchmark]
    public Peer? Pick()
    {
        // A slow tick, as under load: some 20,000 picks in a second.
        if ((++_next & 31) == 0) _now++;
        var selection = _selections[_next & (Requests - 1)];
        selection.Hash = default;
        var peer = _balancer.Pick(selection, _now)!;
        peer.State.Conns++;
        peer.State.Changed();
        peer.State.Conns--;
        peer.State.Changed();
        return peer;
    }

    private static IBalancer Make(PeerGroup group, Method method)
    {
        var key = Template.TryParse("$request_uri", find: null, out var parsed, out _) ? parsed : Template.Empty;
        return method switch
        {
            Method.RoundRobin => new RoundRobinBalancer(group, PeerGroup.Empty),
            Method.LeastConn => new LeastConnBalancer(group, PeerGroup.Empty),
            Method.LeastTime => new LeastTimeBalancer(group, PeerGroup.Empty, TimeMeasure.Header, inflight: false),
            Method.LeastTimeTied => new LeastTimeBalancer(group, PeerGroup.Empty, TimeMeasure.Header, inflight: false),
            Method.LeastTimeInflight => new LeastTimeBalancer(group, PeerGroup.Empty, TimeMeasure.Header, inflight: true),
            Method.Hash => new HashBalancer(group, PeerGroup.Empty, key),
            Method.HashConsistent => new ConsistentHashBalancer(group, PeerGroup.Empty, key, previous: null),
            Method.IpHash => new IpHashBalancer(group, PeerGroup.Empty),
            Method.Random => new RandomBalancer(group, PeerGroup.Empty, two: null, new Random(1)),
            _ => new RandomBalancer(group, PeerGroup.Empty, RandomTwo.LeastConn, new Random(1)),
        };
    }
}
