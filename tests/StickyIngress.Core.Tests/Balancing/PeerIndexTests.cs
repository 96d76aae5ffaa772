using CsCheck;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Balancing;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Tests.Balancing;

/// <summary>Whatever happens to an upstream, choosing by the index and looking at all peers come to the same peers.</summary>
public sealed class PeerIndexTests
{
    private static readonly Gen<string> Calm = Gen.Int[1, 4].Select(weight => $"weight={weight} max_fails=0");

    private static readonly Gen<string> Any = OneOf(
        "", "", "weight=2", "weight=3 max_fails=3", "weight=5 max_fails=2 fail_timeout=2", "max_conns=2", "drain", "down", "backup",
        "weight=2 backup", "weight=4 slow_start=3", "max_fails=0");

    private static readonly Gen<Deed> Deeds = OneOf([
        .. Enumerable.Repeat(Deed.Begin, 50), .. Enumerable.Repeat(Deed.BeginBound, 10), .. Enumerable.Repeat(Deed.End, 40),
        Deed.Fail, Deed.Fail, Deed.Fail, Deed.Next, Deed.Next, .. Enumerable.Repeat(Deed.Wait, 5), Deed.Publish, Deed.Sicken]);

    private static readonly Gen<Step> Steps = Gen.Select(Deeds, Gen.Int[0, 1000], (deed, number) => new Step(deed, number));

    [Theory]
    [InlineData("round robin")]
    [InlineData("least_conn")]
    [InlineData("least_time header")]
    [InlineData("least_time last_byte")]
    [InlineData("least_time header inflight")]
    [InlineData("least_time last_byte inflight")]
    public void Index_and_scan_choose_the_same_peers_in_calm_groups(string method) =>
        Gen.Select(Calm.Array[1, 20], Steps.Array[1, 150]).Sample((servers, steps) => Compare(method, servers, steps), iter: 300);

    [Theory]
    [InlineData("round robin")]
    [InlineData("least_conn")]
    [InlineData("least_time header")]
    [InlineData("least_time last_byte")]
    [InlineData("least_time header inflight")]
    [InlineData("least_time last_byte inflight")]
    public void Index_and_scan_choose_the_same_peers_in_any_group(string method) =>
        Gen.Select(Any.Array[1, 8], Steps.Array[1, 150]).Sample((servers, steps) => Compare(method, servers, steps), iter: 500);

    [Fact]
    public void Index_is_used_while_nothing_is_wrong_and_again_after_trouble()
    {
        var upstream = new TestUpstream("a, b weight=2, c", Methods.Named("round robin", new(FromPeers: 0, AfterScans: 3)));
        bool Indexed() => upstream["a"].State.Index is not null;

        Assert.Equal([false, false, true], Enumerable.Range(0, 3).Select(_ => (upstream.Get(), Indexed()).Item2));
        PeerAccounting.SetHealth(upstream["c"], healthy: false, upstream.Clock.Milliseconds);
        Assert.False(Indexed());
        PeerAccounting.SetHealth(upstream["c"], healthy: true, upstream.Clock.Milliseconds);
        Assert.Equal([false, false, true], Enumerable.Range(0, 3).Select(_ => (upstream.Get(), Indexed()).Item2));
    }

    [Fact]
    public void A_new_snapshot_goes_on_where_the_old_one_stood()
    {
        var servers = string.Join(", ", Enumerable.Range(0, 60).Select(i => $"{i} weight={1 + (i % 3)}"));
        var through = new TestUpstream(servers);
        var republished = new TestUpstream(servers);

        var expected = Enumerable.Range(0, 300).Select(_ => through.Get()).ToArray();
        var picked = Enumerable.Range(0, 300).Select(i =>
        {
            if (i % 70 == 69) republished.Publish(servers, Methods.RoundRobin);
            return republished.Get();
        });

        Assert.Equal(expected, picked);
    }

    private static void Compare(string method, string[] servers, Step[] steps)
    {
        using var indexed = new Run(method, servers, IndexUse.Always);
        using var scanned = new Run(method, servers, IndexUse.Never);

        foreach (var step in steps) Assert.Equal(scanned.Do(step), indexed.Do(step));

        Assert.Equal(scanned.Weights(), indexed.Weights());
    }

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private enum Deed
    {
        Begin,
        BeginBound,
        End,
        Fail,
        Next,
        Wait,
        Publish,
        Sicken,
    }

    private sealed record Step(Deed Deed, int Number);

    /// <summary>An upstream to which the steps happen; requests that fail stay open and try again later, on their old snapshot.</summary>
    private sealed class Run : IDisposable
    {
        private readonly string _method;
        private readonly string[] _servers;
        private readonly IndexUse _use;
        private readonly TestUpstream _upstream;
        private readonly List<(Selection Selection, PeerLease Lease)> _open = [];
        private bool _other;

        public Run(string method, string[] servers, IndexUse use)
        {
            (_method, _use) = (method, use);
            _servers = [.. servers.Select((server, i) => $"{i} {server}")];
            _upstream = new(string.Join(", ", _servers), Methods.Named(method, use));
        }

        /// <summary>What became of it: the peer selected, "-" for none, "" where nobody was to be selected.</summary>
        public string Do(Step step) => step.Deed switch
        {
            Deed.Begin => Select(_upstream.Request()),
            Deed.BeginBound => Select(_upstream.Request(hint: $"{step.Number % (_servers.Length + 1)}")),
            Deed.End => End(step.Number, TryOutcome.Ok),
            Deed.Fail => End(step.Number, TryOutcome.Failed),
            Deed.Next => End(step.Number, TryOutcome.Next),
            Deed.Wait => Wait(step.Number * 7),
            Deed.Publish => Publish(),
            _ => Sicken(step.Number),
        };

        public string Weights() => string.Join(' ', _upstream.Peers.Select(peer =>
        {
            peer.State.Claim();
            return $"{peer.State.CurrentWeight}-{peer.State.LostWeight}";
        }));

        public void Dispose() => _open.ForEach(open => open.Lease.Dispose());

        private string Select(Selection selection)
        {
            if (_upstream.Selector.Select(selection).Lease is not { } lease) return "-";

            _open.Add((selection, lease));
            return lease.Peer.Server;
        }

        private string End(int number, TryOutcome outcome)
        {
            if (_open.Count == 0) return "";

            var (selection, lease) = _open[number % _open.Count];
            _open.RemoveAt(number % _open.Count);
            if (outcome == TryOutcome.Ok) lease.HeaderReceived();
            else lease.Fail(outcome, BreakReason.PeerFailed);
            lease.Dispose();
            return outcome != TryOutcome.Ok && selection.Tries > 0 ? Select(selection) : "";
        }

        private string Wait(int milliseconds)
        {
            _upstream.Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
            return "";
        }

        /// <summary>Every other time a server more, with another weight for the first.</summary>
        private string Publish()
        {
            _other = !_other;
            var servers = _other ? [$"{_servers[0]} weight=3", .. _servers[1..], "new slow_start=2"] : _servers;
            _upstream.Publish(string.Join(", ", servers), Methods.Named(_method, _use));
            return "";
        }

        private string Sicken(int number)
        {
            var peer = _upstream.Peers[number % _upstream.Peers.Length];
            PeerAccounting.SetHealth(peer, peer.State.Unhealthy, _upstream.Clock.Milliseconds);
            return "";
        }
    }
}
