using System.Net;
using System.Text.Json;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Tests.Balancing;
using StickyIngress.Core.Variables;
using StickyIngress.Testing;

namespace StickyIngress.Core.Tests.Conformance;

/// <summary>hash.json, ketama.json, ip_hash.json and hash_retry.json.</summary>
public sealed class HashConformanceTests
{
    private static readonly JsonElement Hash = Vectors.Load("hash.json");
    private static readonly JsonElement Ketama = Vectors.Load("ketama.json");
    private static readonly JsonElement IpHash = Vectors.Load("ip_hash.json");
    private static readonly JsonElement Retry = Vectors.Load("hash_retry.json");

    public static TheoryData<string> HashSets => Names(Hash);

    public static TheoryData<string> KetamaSets => Names(Ketama);

    public static TheoryData<string> IpHashSets => Names(IpHash);

    [Theory]
    [MemberData(nameof(HashSets))]
    public void Hash_picks_what_nginx_picked(string name)
    {
        var set = Find(Hash, name);
        var upstream = new TestUpstream(Numbered(set), Methods.Named("hash"));

        var picks = Strings(Hash, "keys").Select(key => int.Parse(upstream.Get(key))).ToArray();

        Assert.Equal(Picks(set, "picks"), picks);
    }

    [Theory]
    [InlineData("three_equal")]
    [InlineData("weights_5_1_3")]
    public void Hash_of_an_empty_key_is_round_robin(string name)
    {
        var upstream = new TestUpstream(Numbered(Find(Hash, name)), Methods.Named("hash"));
        var expected = Picks(Hash.GetProperty("empty_key_picks"), name);

        Assert.Equal(expected, expected.Select(_ => int.Parse(upstream.Get(key: ""))));
    }

    [Theory]
    [MemberData(nameof(KetamaSets))]
    public void Consistent_hash_picks_what_nginx_picked(string name)
    {
        var set = Find(Ketama, name);
        var lines = set.GetProperty("servers").Deserialize<string[]>()!;
        var servers = lines.Select(line => line.Split(' ')[0]).ToList();
        var upstream = new TestUpstream(string.Join(", ", lines), Methods.Named("hash consistent"));

        var picks = Strings(Ketama, "keys").Select(key => servers.IndexOf(upstream.Get(key))).ToArray();

        Assert.Equal(Picks(set, "picks"), picks);
    }

    [Fact]
    public void Consistent_hash_of_an_empty_key_is_round_robin()
    {
        var servers = Find(Ketama, "three_equal").GetProperty("servers").Deserialize<string[]>()!.ToList();
        var upstream = new TestUpstream(string.Join(", ", servers), Methods.Named("hash consistent"));
        var expected = Picks(Ketama.GetProperty("empty_key_picks"), "three_equal");

        Assert.Equal(expected, expected.Select(_ => servers.IndexOf(upstream.Get(key: ""))));
    }

    [Theory]
    [MemberData(nameof(IpHashSets))]
    public void Ip_hash_picks_what_nginx_picked(string name)
    {
        var set = Find(IpHash, name);
        var upstream = new TestUpstream(Numbered(set), Methods.Named("ip_hash"));
        int[] Pick(string list) =>
            [.. Strings(IpHash, list).Select(address => int.Parse(upstream.Get(address: IPAddress.Parse(address))))];

        Assert.Equal(Picks(set, "ipv4_picks"), Pick("ipv4"));
        Assert.Equal(Picks(set, "ipv6_picks"), Pick("ipv6"));
    }

    [Theory]
    [InlineData("hash", "keys", "hash_tried")]
    [InlineData("hash consistent", "keys", "hash_consistent_tried")]
    [InlineData("ip_hash", "ipv4", "ip_hash_tried")]
    public void A_retry_continues_as_in_nginx(string method, string inputs, string expected)
    {
        var lines = Strings(Retry, "servers");
        var servers = lines.Select(line => line.Split(' ')[0]).ToList();
        var upstream = new TestUpstream(string.Join(", ", lines), Methods.Named(method));

        var tried = Strings(Retry, inputs).Select(input => string.Join(' ', Try(upstream, servers, input))).ToArray();

        var recorded = Retry.GetProperty(expected).Deserialize<int[][]>()!;
        Assert.Equal(recorded.Select(numbers => string.Join(' ', numbers)), tried);
    }

    /// <summary>Servers 1 and 3 refuse connections.</summary>
    private static List<int> Try(TestUpstream upstream, List<string> servers, string input)
    {
        var selection = upstream.Request(input, address: IPAddress.TryParse(input, out var address) ? address : null);
        var tried = new List<int>();
        do
        {
            using var lease = upstream.Selector.Select(selection).Lease;
            tried.Add(servers.IndexOf(lease!.Peer.Server));
            if (tried[^1] is not (1 or 3)) break;

            lease.Fail(TryOutcome.Failed, BreakReason.ConnectFailed);
        }
        while (selection.Tries > 0);

        return tried;
    }

    private static string Numbered(JsonElement set) => string.Join(
        ", ", set.GetProperty("servers").EnumerateArray().Select((server, i) => $"{i} {RoundRobinConformanceTests.ServerLine(server)}"));

    private static JsonElement Find(JsonElement file, string name) =>
        file.GetProperty("sets").EnumerateArray().Single(set => set.GetProperty("name").GetString() == name);

    private static string[] Strings(JsonElement file, string list) => [.. file.GetProperty(list).Deserialize<string[]>()!.Select(ByteText.From)];

    private static int[] Picks(JsonElement set, string list) => set.GetProperty(list).Deserialize<int[]>()!;

    private static TheoryData<string> Names(JsonElement file) =>
        new(file.GetProperty("sets").EnumerateArray().Select(set => set.GetProperty("name").GetString()!));
}
