using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Balancing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Tests.Balancing;

internal delegate IBalancer MakeBalancer(PeerGroup primaries, PeerGroup backups);

/// <summary>
/// An upstream written as nginx writes servers, one after the other with commas between: <c>a weight=5, b drain, c backup</c>.
/// Requests go through the real selector; only the time and what clients present are the test's.
/// </summary>
internal sealed class TestUpstream
{
    private readonly UpstreamState _state = new(new("default", "test"));

    public TestUpstream(
        string servers, MakeBalancer? balancer = null, int? failStatus = null, QueueSettings? queue = null, HealthCheckSettings? check = null)
    {
        (Queue, HealthCheck) = (queue, check);
        Clock = new(Time);
        Selector = new(Clock);
        Upstream = Publish(servers, balancer ?? Methods.RoundRobin, failStatus);
    }

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));

    public Clock Clock { get; }

    public PeerSelector Selector { get; }

    public Upstream Upstream { get; private set; }

    /// <summary>Of the next snapshot.</summary>
    public QueueSettings? Queue { get; set; }

    /// <summary>Of the next snapshot.</summary>
    public HealthCheckSettings? HealthCheck { get; set; }

    /// <summary>In configured order, backups where they stand.</summary>
    public ImmutableArray<Peer> Peers { get; private set; }

    /// <summary>The next snapshot; peers of the same text stay the same peers.</summary>
    public Upstream Publish(string servers, MakeBalancer balancer, int? failStatus = null)
    {
        var lines = servers.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var (primaries, backups) = (0, 0);
        var seen = new Dictionary<string, int>();
        var peers = ImmutableArray.CreateBuilder<Peer>();
        foreach (var line in lines)
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var again = seen[words[0]] = seen.GetValueOrDefault(words[0]) + 1;
            peers.Add(Parse(words, words.Contains("backup") ? backups++ : primaries++, again));
        }

        Peers = peers.ToImmutable();
        var backupGroup = new PeerGroup([.. Peers.Where(peer => peer.Backup)], backup: true, single: false);
        var primaryGroup = new PeerGroup([.. Peers.Where(peer => !peer.Backup)], backup: false, single: lines.Length == 1);
        Upstream = new()
        {
            Name = _state.Name,
            State = _state,
            Primaries = primaryGroup,
            Backups = backupGroup,
            Balancer = balancer(primaryGroup, backupGroup),
            Affinity = new HintAffinity(this),
            FailStatus = failStatus,
            Queue = Queue,
            HealthCheck = HealthCheck,
        };
        PeerHealth.Admit(Upstream);
        SlowStart.Admit(Upstream, Clock.Milliseconds);
        return Upstream;
    }

    public Selection Request(string key = "", string? hint = null, IPAddress? address = null, int maxTries = 0) =>
        new(Upstream, new TestRequest(key, hint, address), maxTries);

    /// <summary>A whole request that is answered at once: the server's text; "-": no live peer.</summary>
    public string Get(string key = "", string? hint = null, IPAddress? address = null)
    {
        using var lease = Selector.Select(Request(key, hint, address)).Lease;
        lease?.HeaderReceived();
        return lease?.Peer.Server ?? "-";
    }

    /// <summary>A request that goes on as long as nginx lets it, failing at the servers given. The tries in order.</summary>
    public string Failing(string failing, string key = "")
    {
        var request = Request(key);
        var tried = new List<string>();
        do
        {
            using var lease = Selector.Select(request).Lease;
            tried.Add(lease?.Peer.Server ?? "-");
            if (lease is null || !failing.Split(' ').Contains(lease.Peer.Server)) break;

            lease.Fail(TryOutcome.Failed, BreakReason.PeerFailed);
        }
        while (request.Tries > 0);

        return string.Join(' ', tried);
    }

    public PeerLease? Begin(string key = "", string? hint = null) => Selector.Select(Request(key, hint)).Lease;

    public Peer this[string server] => Peers.First(peer => peer.Server == server);

    private Peer Parse(string[] words, int index, int again)
    {
        var server = words[0];
        long Value(string name, long other) => words.LastOrDefault(word => word.StartsWith(name + "=", StringComparison.Ordinal)) is { } word
            ? long.Parse(word[(name.Length + 1)..].TrimEnd('s'), CultureInfo.InvariantCulture)
            : other;
        return new()
        {
            Index = index,
            Id = new(server),
            Name = server,
            Server = server,
            Sid = server,
            Label = server,
            EndPoint = new IPEndPoint(IPAddress.Loopback, 1),
            State = _state.Peer(new(server, new(server), again.ToString(CultureInfo.InvariantCulture))),
            Weight = (int)Value("weight", 1),
            MaxConns = (int)Value("max_conns", 0),
            MaxFails = (int)Value("max_fails", 1),
            FailTimeoutSeconds = Value("fail_timeout", 10),
            SlowStartMilliseconds = 1000 * Value("slow_start", 0),
            Down = words.Contains("down"),
            Draining = words.Contains("drain"),
            Backup = words.Contains("backup"),
        };
    }

    /// <summary>Binds a request to the server whose text it names.</summary>
    private sealed class HintAffinity(TestUpstream test) : IAffinity
    {
        public Peer? Find(ReadOnlySpan<char> presented) => null;

        public AffinityMode Mode => AffinityMode.Route;

        public void Bind(Selection selection)
        {
            if (selection.AffinityRead || ((TestRequest)selection.Values).Hint is not { } hint) return;

            var primary = test.Upstream.Primaries.Peers.FirstOrDefault(peer => peer.Server == hint);
            var backup = test.Upstream.Backups.Peers.FirstOrDefault(peer => peer.Server == hint);
            selection.AffinityRead = selection.Presented = true;
            if (primary is null && backup is null) selection.Unbound = BreakReason.Unknown;
            else selection.Binding = new(primary, backup);
        }

        public void Selected(Selection selection, Peer peer)
        {
        }

        public void HeaderReceived(Selection selection, Peer peer)
        {
        }

        public void Released(Selection selection, Peer peer, TryOutcome outcome)
        {
        }
    }

    private sealed class TestRequest(string key, string? hint, IPAddress? address) : RequestValues
    {
        public string? Hint => hint;

        public override IPAddress? ClientAddress => address;

        public override bool IsHttps => false;

        public override bool TryGetCookie(string name, out ReadOnlySpan<char> value)
        {
            value = default;
            return false;
        }

        protected override string? Read(Variable variable) => key;
    }
}
