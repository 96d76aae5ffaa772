using System.Net;
using System.Text.Json;
using StickyIngress.Core.Balancing;
using StickyIngress.Core.Tests.Balancing;
using StickyIngress.Testing;

namespace StickyIngress.Core.Tests.Conformance;

/// <summary>sticky_picks.json: what bound requests do to the order of the others.</summary>
public sealed class BoundPickConformanceTests
{
    private static readonly JsonElement Recorded = Vectors.Load("sticky_picks.json");

    public static TheoryData<string, bool> Cases => new(Recorded.GetProperty("cases").EnumerateArray()
        .Select(one => one.GetProperty("name").GetString()!)
        .SelectMany(name => new[] { (name, false), (name, true) }));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Picks_what_nginx_picked(string name, bool indexed)
    {
        var recorded = Recorded.GetProperty("cases").EnumerateArray().Single(one => one.GetProperty("name").GetString() == name);
        var weights = recorded.GetProperty("weights").Deserialize<int[]>()!;
        var method = recorded.GetProperty("method").GetString()!.Replace(" $arg_k", "");
        // ketama hashes the servers' texts; the recording nginx listened on these ports.
        var names = weights.Select((_, i) => $"127.0.0.1:{21001 + i}").ToList();
        var upstream = new TestUpstream(
            string.Join(", ", weights.Select((weight, i) => $"{names[i]} weight={weight}")),
            Methods.Named(method, indexed ? IndexUse.Always : IndexUse.Never));

        var hints = recorded.GetProperty("hints").EnumerateArray().ToArray();
        var picks = hints.Select((hint, i) => names.IndexOf(upstream.Get($"key{i}", Hint(hint, names), IPAddress.Loopback)));

        Assert.Equal(recorded.GetProperty("picks").Deserialize<int[]>(), picks);
    }

    private static string? Hint(JsonElement hint, List<string> names) => hint.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.Number => names[hint.GetInt32()],
        _ => "unknown",
    };
}
