using System.Text.Json;
using StickyIngress.Testing;

namespace StickyIngress.Tests.Import;

/// <summary>What nginx takes is imported, and what it refuses is an error at the same line.</summary>
public sealed class ImportErrorsTests
{
    private static readonly JsonElement Recorded = Vectors.Load("config_errors.json");

    /// <summary>Refused by the recorded build, which is not the commercial one, for these words; imported here.</summary>
    private static readonly string[] Commercial =
        ["slow_start=", "least_time", "partitioned", " sync;", "queue 10", "ntlm", "state /", "sticky_cookie_insert", "status_zone="];

    /// <summary>Refused because a name could not be looked up, which is left to run.</summary>
    private static readonly string[] Lookups = ["no-such-host.invalid;", "300.1.1.1", "resolver no-such.invalid"];

    public static TheoryData<string, bool> Upstreams => Rows("upstream", "upstream_body");

    public static TheoryData<string, bool> Https => Rows("http", "http_body");

    [Theory]
    [MemberData(nameof(Upstreams))]
    public async Task Upstream_blocks_are_judged_as_nginx_does(string body, bool accepted)
    {
        var imported = await Importing.RunAsync($"http {{\nupstream u {{ {body} }}\n}}");

        Assert.True(accepted == (imported.ExitCode == 0), imported.Said);
        Assert.Equal(!accepted, imported.Said.Contains("nginx.conf:2: error: ", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Https))]
    public async Task Http_blocks_are_judged_as_nginx_does(string body, bool accepted)
    {
        var imported = await Importing.RunAsync($"http {{\n{body}\n}}");

        Assert.True(accepted == (imported.ExitCode == 0), imported.Said);
        Assert.Equal(!accepted, imported.Said.Contains("nginx.conf:2: error: ", StringComparison.Ordinal));
    }

    private static TheoryData<string, bool> Rows(string list, string name)
    {
        var rows = new TheoryData<string, bool>();
        foreach (var entry in Recorded.GetProperty(list).EnumerateArray().DistinctBy(entry => entry.GetProperty(name).GetString()))
        {
            var body = entry.GetProperty(name).GetString()!;
            var ours = Commercial.Concat(Lookups).Any(word => body.Contains(word, StringComparison.Ordinal));
            if (!body.Contains("health_check", StringComparison.Ordinal)) rows.Add(body, ours || entry.GetProperty("ok").GetBoolean());
        }

        return rows;
    }
}
