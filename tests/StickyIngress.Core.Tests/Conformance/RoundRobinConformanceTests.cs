using System.Text.Json;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Balancing;
using StickyIngress.Core.Tests.Balancing;
using StickyIngress.Testing;

namespace StickyIngress.Core.Tests.Conformance;

/// <summary>wrr.json, by looking at all peers and by the index.</summary>
public sealed class RoundRobinConformanceTests
{
    private static readonly JsonElement Recorded = Vectors.Load("wrr.json");

    public static TheoryData<string, bool> Cases => Names("cases");

    public static TheoryData<string, bool> FailureCases => Names("failure_cases");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Picks_what_nginx_picked(string name, bool indexed)
    {
        var recorded = Find("cases", name);
        var upstream = Make(recorded, indexed);

        var picks = recorded.GetProperty("picks").EnumerateArray().Select(_ => int.Parse(upstream.Get())).ToArray();

        Assert.Equal(recorded.GetProperty("picks").Deserialize<int[]>(), picks);
    }

    [Theory]
    [MemberData(nameof(FailureCases))]
    public void Tries_what_nginx_tried(string name, bool indexed)
    {
        var recorded = Find("failure_cases", name);
        var upstream = Make(recorded, indexed);

        var requests = recorded.GetProperty("requests").EnumerateArray().ToArray();
        var tried = requests.Select(request => Try(upstream, recorded, request)).ToArray();

        Assert.Equal(requests.Select(Tried), tried);
        Assert.All(upstream.Peers, peer => Assert.Equal(0, peer.State.Conns));
    }

    /// <summary>Reference 10.2: a status is a failure where it leads to another try; a refused connection always is.</summary>
    private static string Try(TestUpstream upstream, JsonElement recorded, JsonElement request)
    {
        var servers = recorded.GetProperty("servers");
        var failing = request.TryGetProperty("failing", out var numbers) ? numbers.Deserialize<int[]>()! : [];
        var outcome = recorded.TryGetProperty("failing_status", out var status) && status.GetInt32() == 404
            ? TryOutcome.Next
            : TryOutcome.Failed;
        var selection = upstream.Request();
        var tried = new List<string>();
        do
        {
            using var lease = upstream.Selector.Select(selection).Lease;
            tried.Add(lease?.Peer.Server ?? "<upstream name>");
            if (lease is null) break;

            var number = int.Parse(lease.Peer.Server);
            var refused = servers[number].TryGetProperty("connection_refused", out var value) && value.GetBoolean();
            if (refused) lease.Fail(TryOutcome.Failed, BreakReason.ConnectFailed);
            else if (failing.Contains(number) && selection.Tries > 1) lease.Fail(outcome, BreakReason.PeerFailed);
            else break;
        }
        while (selection.Tries > 0);

        return string.Join(' ', tried);
    }

    private static string Tried(JsonElement request) =>
        string.Join(' ', request.GetProperty("tried").EnumerateArray().Select(server => server.ToString()));

    private static TestUpstream Make(JsonElement recorded, bool indexed) => new(
        string.Join(", ", recorded.GetProperty("servers").EnumerateArray().Select((server, i) => $"{i} {ServerLine(server)}")),
        Methods.Named("round robin", indexed ? IndexUse.Always : IndexUse.Never));

    internal static string ServerLine(JsonElement server) =>
        $"weight={server.GetProperty("weight")} {(server.TryGetProperty("flags", out var flags) ? flags.GetString() : "")}";

    private static JsonElement Find(string list, string name) =>
        Recorded.GetProperty(list).EnumerateArray().Single(one => one.GetProperty("name").GetString() == name);

    private static TheoryData<string, bool> Names(string list)
    {
        var names = Recorded.GetProperty(list).EnumerateArray().Select(one => one.GetProperty("name").GetString()!);
        return new(names.SelectMany(name => new[] { (name, false), (name, true) }));
    }
}
