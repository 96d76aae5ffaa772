using System.Net;
using BenchmarkDotNet.Attributes;
using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Balancing;
using StickyIngress.Core.Cookies;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Benchmarks;

/// <summary>
/// Budget: what affinity does for a client that keeps its peer costs at most 1 µs and allocates nothing; a sealed cookie, which is decrypted, 5 µs.
/// </summary>
[MemoryDiagnoser]
public class AffinityBenchmark
{
    private readonly UpstreamState _state = new(new("web", "shop"));
    private readonly AffinityKeys _keys = AffinityKeys.CreateRandom();
    private readonly Clock _clock = new(TimeProvider.System);
    private PeerGroup _group = PeerGroup.Empty;
    private (Selection Selection, Peer Peer) _opaque;
    private (Selection Selection, Peer Peer) _stamped;
    private (Selection Selection, Peer Peer) _sealed;
    private (Selection Selection, Peer Peer) _learn;

    [GlobalSetup]
    public void Setup()
    {
        _group = new([.. Enumerable.Range(0, 4).Select(CreatePeer)], backup: false, single: false);
        var cookie = new CookieSettings { Name = "srv" };
        _opaque = WithCookie(cookie);
        _stamped = WithCookie(cookie with { Expires = TimeSpan.FromHours(1) });
        _sealed = WithCookie(cookie with { IdleTimeout = TimeSpan.FromHours(1) });

        var table = new SessionTable(new(1_000_000, TimeSpan.FromHours(1)), TimeProvider.System);
        var id = Parse("$cookie_sid");
        var learn = new LearnAffinity(new([id], [id], Header: false), table, new(new byte[16], "z"), new(), _group, PeerGroup.Empty);
        _learn = (new(Upstream(learn), new CookieRequest("theme=dark; sid=0123456789abcdef0123456789abcdef"), 0), _group.Peers[2]);
        learn.Bind(_learn.Selection);
        learn.Released(_learn.Selection, _learn.Peer, TryOutcome.Ok);
    }

    [Benchmark]
    public string? OpaqueCookie() => Keep(_opaque);

    [Benchmark]
    public string? OpaqueCookieWithExpiry() => Keep(_stamped);

    [Benchmark]
    public string? SealedCookie() => Keep(_sealed);

    [Benchmark]
    public string? Learn() => Keep(_learn);

    /// <summary>What a compile pays for one upstream of four peers.</summary>
    [Benchmark]
    public IAffinity Compile() => new CookieAffinity(new() { Name = "srv" }, _keys, _clock, _state, _group, PeerGroup.Empty);

    private static string? Keep((Selection Selection, Peer Peer) kept)
    {
        var (selection, peer) = kept;
        var affinity = selection.Upstream.Affinity!;
        selection.AffinityRead = false;
        affinity.Bind(selection);
        affinity.Selected(selection, peer);
        affinity.HeaderReceived(selection, peer);
        affinity.Released(selection, peer, TryOutcome.Ok);
        return selection.SetCookie;
    }

    private (Selection Selection, Peer Peer) WithCookie(CookieSettings settings)
    {
        var affinity = new CookieAffinity(settings, _keys, _clock, _state, _group, PeerGroup.Empty);
        var first = new Selection(Upstream(affinity), new CookieRequest(""), 0);
        affinity.Selected(first, _group.Peers[2]);
        return (new(first.Upstream, new CookieRequest("theme=dark; " + first.SetCookie!.Split(';')[0]), 0), _group.Peers[2]);
    }

    private Upstream Upstream(IAffinity affinity) => new()
    {
        Name = _state.Name,
        State = _state,
        Primaries = _group,
        Balancer = new RoundRobinBalancer(_group, PeerGroup.Empty),
        Affinity = affinity,
    };

    private Peer CreatePeer(int index)
    {
        var endPoint = new IPEndPoint(IPAddress.Loopback, 1000 + index);
        var name = PeerNames.Format(endPoint);
        return new()
        {
            Index = index,
            Id = new($"pod-{index}"),
            Name = name,
            Server = name,
            Sid = PeerNames.Sid(name),
            Label = name,
            EndPoint = endPoint,
            State = _state.Peer(new("web", new($"pod-{index}"), name)),
        };
    }

    private static Template Parse(string text) =>
        Template.TryParse(text, null, out var template, out var error) ? template : throw new InvalidOperationException(error);

    private sealed class CookieRequest(string header) : RequestValues
    {
        public override IPAddress? ClientAddress { get; } = IPAddress.Loopback;

        public override bool IsHttps => false;

        public override bool TryGetCookie(string name, out ReadOnlySpan<char> value) => CookieHeader.TryFind(header, name, out value);

        protected override string? Read(Variable variable) => null;
    }
}
