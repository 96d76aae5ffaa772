using System.Net;
using System.Text.Json;
using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;
using StickyIngress.Testing;

namespace StickyIngress.Tests.Import;

/// <summary>A configuration that a real nginx ran, imported and compiled, picks the peers that nginx picked.</summary>
public sealed class ImportedPicksTests
{
    private static readonly JsonElement Wrr = Vectors.Load("wrr.json");
    private static readonly JsonElement Hash = Vectors.Load("hash.json");
    private static readonly JsonElement Ketama = Vectors.Load("ketama.json");
    private static readonly JsonElement IpHash = Vectors.Load("ip_hash.json");
    private static readonly JsonElement Learn = Vectors.Load("learn.json");

    private readonly PeerSelector _selector = new(new Clock(TimeProvider.System));

    public static TheoryData<string> WrrCases => new(Wrr.GetProperty("cases").EnumerateArray()
        .Where(one => one.GetProperty("servers").EnumerateArray().All(server => server.GetProperty("weight").GetInt32() <= 65535)).Select(Name));

    public static TheoryData<string> HashSets => Names(Hash, "sets");

    public static TheoryData<string> KetamaSets => Names(Ketama, "sets");

    public static TheoryData<string> IpHashSets => Names(IpHash, "sets");

    public static TheoryData<string> LearnCases => Names(Learn, "cases");

    [Theory]
    [MemberData(nameof(WrrCases))]
    public async Task Round_robin_is_kept(string name)
    {
        var recorded = Find(Wrr, "cases", name);
        var (upstream, names) = await ImportAsync(Lines(recorded), "");

        var expected = Numbers(recorded, "picks");
        var picks = expected.Select(_ => names.IndexOf(Pick(upstream, new ImportedRequest()))).ToArray();

        Assert.Equal(expected, picks);
    }

    [Theory]
    [MemberData(nameof(HashSets))]
    public async Task Hash_is_kept(string name)
    {
        var recorded = Find(Hash, "sets", name);
        var (upstream, names) = await ImportAsync(Lines(recorded), "hash $http_x_key;");

        Assert.Equal(Numbers(recorded, "picks"), Keys(Hash).Select(key => names.IndexOf(Pick(upstream, new ImportedRequest { Key = key }))));
    }

    [Theory]
    [MemberData(nameof(KetamaSets))]
    public async Task Consistent_hash_is_kept(string name)
    {
        var recorded = Find(Ketama, "sets", name);
        var (upstream, names) = await ImportAsync(recorded.GetProperty("servers").Deserialize<string[]>()!, "hash $http_x_key consistent;");

        Assert.Equal(Numbers(recorded, "picks"), Keys(Ketama).Select(key => names.IndexOf(Pick(upstream, new ImportedRequest { Key = key }))));
    }

    [Theory]
    [MemberData(nameof(IpHashSets))]
    public async Task Ip_hash_is_kept(string name)
    {
        var recorded = Find(IpHash, "sets", name);
        var (upstream, names) = await ImportAsync(Lines(recorded), "ip_hash;");

        var clients = IpHash.GetProperty("ipv4").Deserialize<string[]>()!;
        var picks = clients.Select(client => names.IndexOf(Pick(upstream, new ImportedRequest(IPAddress.Parse(client)))));

        Assert.Equal(Numbers(recorded, "ipv4_picks"), picks);
    }

    [Theory]
    [MemberData(nameof(LearnCases))]
    public async Task Learned_sessions_are_kept(string name)
    {
        var recorded = Find(Learn, "cases", name);
        var method = recorded.GetProperty("method").GetString() == "least_conn" ? "least_conn; " : "";
        var lines = Numbers(recorded, "weights").Select((weight, i) => $"127.0.0.1:{21001 + i} weight={weight} max_fails=0").ToArray();
        var (upstream, names) = await ImportAsync(lines, $"{method}sticky {recorded.GetProperty("sticky")} zone=sessions:1m timeout=1h;");

        var requests = recorded.GetProperty("requests").EnumerateArray().ToArray();

        Assert.Equal(requests.Select(request => string.Join(',', Numbers(request, "tried"))), requests.Select(request => Tried(upstream, names, request)));
    }

    /// <summary>One request with proxy_next_upstream error http_404 http_502.</summary>
    private string Tried(Upstream upstream, List<string> names, JsonElement request)
    {
        var values = new ImportedRequest
        {
            Cookie = request.TryGetProperty("cookie_sid", out var cookie) ? $"sid={cookie}" : "",
            Args = request.TryGetProperty("arg_sid", out var arg) ? new() { ["sid"] = arg.GetString()! } : [],
        };
        var selection = new Selection(upstream, values, 0);
        var tried = new List<int>();
        while (true)
        {
            using var lease = _selector.Select(selection).Lease;
            tried.Add(names.IndexOf(lease!.Peer.Server));
            values.ResponseCookie = request.TryGetProperty("response_sid", out var sid) ? sid.GetString() : null;
            var failed = Numbers(request, "failing_502").Contains(tried[^1]);
            if ((!failed && !Numbers(request, "failing_404").Contains(tried[^1])) || selection.Tries <= 1)
            {
                lease.HeaderReceived();
                return string.Join(',', tried);
            }

            lease.Fail(failed ? TryOutcome.Failed : TryOutcome.Next, BreakReason.PeerFailed);
        }
    }

    private static async Task<(Upstream Upstream, List<string> Servers)> ImportAsync(string[] lines, string method)
    {
        var imported = await Importing.RunAsync($"http {{ upstream u {{ {method}\n{string.Concat(lines.Select(line => $"server {line};\n"))} }} }}");
        var behind = lines.Any(line => line.Contains("backup", StringComparison.Ordinal));
        Assert.True(imported.ExitCode == 0, imported.Said);
        Assert.Equal(behind, imported.Compile().Backups.Peers.Length > 0);
        return (imported.Compile(), [.. lines.Select(line => line.Split(' ')[0])]);
    }

    private string Pick(Upstream upstream, RequestValues request)
    {
        using var lease = _selector.Select(new Selection(upstream, request, 0)).Lease;
        lease?.HeaderReceived();
        return lease?.Peer.Server ?? "none";
    }

    private static string[] Lines(JsonElement recorded) =>
    [
        .. recorded.GetProperty("servers").EnumerateArray().Select((server, i) =>
            $"127.0.0.1:{21001 + i} weight={server.GetProperty("weight")} {(server.TryGetProperty("flags", out var flags) ? flags.GetString() : "")}"),
    ];

    private static IEnumerable<string> Keys(JsonElement file) => file.GetProperty("keys").Deserialize<string[]>()!.Select(ByteText.From);

    private static int[] Numbers(JsonElement entry, string name) => entry.TryGetProperty(name, out var list) ? list.Deserialize<int[]>()! : [];

    private static string Name(JsonElement entry) => entry.GetProperty("name").GetString()!;

    private static JsonElement Find(JsonElement file, string list, string name) => file.GetProperty(list).EnumerateArray().Single(one => Name(one) == name);

    private static TheoryData<string> Names(JsonElement file, string list) => new(file.GetProperty(list).EnumerateArray().Select(Name));
}
