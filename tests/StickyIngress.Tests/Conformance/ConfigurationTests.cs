using System.Text.Json;
using StickyIngress.Api;
using StickyIngress.Control.Tests;
using StickyIngress.Testing;

namespace StickyIngress.Tests.Conformance;

/// <summary>time_size.json and config_errors.json: what is accepted, with which value, and what is refused with field and reason.</summary>
[Collection(Recordings.Name)]
public sealed class ConfigurationTests
{
    /// <summary>Forms that only the leniency of nginx's parser lets through; in a resource each unit has its digits in front of it.</summary>
    private static readonly string[] Lenient = ["1 ", "10 ", " 1", "1Ms"];

    [Fact]
    public async Task Seconds_are_read_as_nginx_read_them()
    {
        var rows = Vectors.Load("time_size.json").Items("time_seconds");
        await using var replay = await Replay.StartAsync("time_size.json", rows.Select((row, i) => Replay.Upstream(
            $"time-{i}", [RecordedServers.Listening(0)], $"sticky: {{ cookie: {{ name: c, value: NginxSid, issue: Always, expires: \"{row.Text("literal")}\" }} }}")));

        foreach (var (i, row) in rows.Index())
        {
            var answer = await replay.AskAsync($"/time-{i}");
            var age = answer.Cookies.SelectMany(cookie => cookie.Split("; ")).SingleOrDefault(part => part.StartsWith("max-age=", StringComparison.Ordinal));
            var value = age is null ? "refused" : row.TryGetProperty("seconds", out _) ? age["max-age=".Length..] : "accepted";
            replay.Compare($"\"{row.Text("literal")}\" in seconds", Expected(row, "seconds"), value);
        }

        replay.End(rows.Length, $"seconds; {Lenient.Length} lenient forms are refused");
    }

    [Theory]
    [InlineData("time_milliseconds", "milliseconds", "proxy: { nextUpstream: { timeout: \"LITERAL\" } }", "spec.proxy.nextUpstream.timeout")]
    [InlineData("size", "bytes", "proxy: { maxBodySize: \"LITERAL\" }", "spec.proxy.maxBodySize")]
    public async Task Times_and_sizes_are_read_as_nginx_read_them(string list, string unit, string more, string field)
    {
        var rows = Vectors.Load("time_size.json").Items(list);
        using var manifests = Manifests.With();
        foreach (var (i, row) in rows.Index())
            manifests.Write($"row-{i}.yaml", Manifests.Upstream($"row-{i}", ["127.0.0.1:1"], more.Replace("LITERAL", row.Text("literal"), StringComparison.Ordinal)));

        var refused = await ValidateAsync(manifests);

        var expected = rows.Select(row => $"{row.Text("literal")}: {(list == "size" ? ExpectedSize(row) : Expected(row, unit))}");
        Assert.Equal(expected, rows.Select((row, i) => $"{row.Text("literal")}: {(refused.ContainsKey($"row-{i}") ? "refused" : Value(manifests.PathOf($"row-{i}.yaml"), row, unit))}"));
        Assert.All(refused.Values, said => Assert.Contains($": {field}: ", said, StringComparison.Ordinal));
        Summary.Write("time_size.json", rows.Length, list == "size" ? "sizes; 1g and 1G are taken too" : $"milliseconds; {Lenient.Length - 1} lenient forms are refused");
    }

    [Fact]
    public async Task Mistakes_are_refused_where_nginx_refused_them()
    {
        var recorded = NginxErrorsTests.Recorded();
        var rows = NginxErrorsTests.Counterparts.Select(row => row.Data).ToArray();
        using var manifests = Manifests.With();
        foreach (var (i, (_, spec)) in rows.Index())
        {
            manifests.Write($"row-{i}.yaml", $"apiVersion: stickyingress.io/v1alpha1\nkind: StickyUpstream\nmetadata: {{ name: row-{i}, namespace: row-{i} }}\nspec:\n  {spec}\n");
        }

        var refused = await ValidateAsync(manifests);

        var expected = rows.Select(row => $"{row.Item1} {(Accepts(recorded, row.Item1) ? "accepted" : "refused")}");
        Assert.Equal(expected, rows.Select((row, i) => $"{row.Item1} {(refused.ContainsKey($"row-{i}") ? "refused" : "accepted")}"));
        Assert.All(refused.Values, said => Assert.Matches(@"^[^:]+: row-\d+/row-\d+: spec(\.[^:]+)?: .+ \[[A-Za-z]+\]$", said));
        Summary.Write(
            "config_errors.json", rows.Length, $"{recorded.Count - rows.Length} snippets have no counterpart, each with its reason in NginxErrorsTests; {NginxErrorsTests.Stricter.Count} are refused only here");
    }

    private static bool Accepts(Dictionary<string, (bool Accepted, string Said)> recorded, string nginx) =>
        !NginxErrorsTests.Stricter.ContainsKey(nginx) && (recorded[nginx].Accepted || NginxErrorsTests.Commercial.Contains(nginx));

    /// <summary>The first error about each file, by the file's name.</summary>
    private static async Task<Dictionary<string, string>> ValidateAsync(Manifests manifests)
    {
        var ended = await StickyProcess.RunAsync(["validate", manifests.Folder]);
        Assert.Equal(1, ended.Code);
        var all = ended.Output.TrimEnd().Split('\n');
        var errors = all.Where(line => !line.EndsWith("[NoEffect]", StringComparison.Ordinal) && !line.EndsWith("[Repeated]", StringComparison.Ordinal)).ToArray();
        Assert.Contains($" {errors.Length} errors, {all.Length - errors.Length} warnings", ended.Error, StringComparison.Ordinal);
        return errors.GroupBy(line => Path.GetFileNameWithoutExtension(line.Split(": ")[0])).ToDictionary(group => group.Key, group => group.First());
    }

    private static string Value(string file, JsonElement row, string unit)
    {
        if (!row.TryGetProperty(unit, out _)) return "accepted";

        var proxy = ResourceYaml.Read(File.ReadAllText(file), file).Resources.OfType<StickyUpstream>().Single().Spec.Proxy;
        return unit == "bytes" ? $"{proxy.MaxBodySize}" : $"{proxy.NextUpstream!.Timeout.TotalMilliseconds}";
    }

    /// <summary>The word max is one of the cookie's own.</summary>
    private static string Expected(JsonElement row, string unit) => Lenient.Contains(row.Text("literal")) ? "refused"
        : row.TryGetProperty(unit, out var value) ? value.ToString()
        : row.Is("accepted") || (unit == "seconds" && row.Text("literal") == "max") ? "accepted" : "refused";

    private static string ExpectedSize(JsonElement row) => row.Text("literal") is "1g" or "1G" ? "accepted"
        : row.TryGetProperty("bytes", out var value) ? value.ToString() : row.Is("accepted") ? "accepted" : "refused";
}
