using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace StickyIngress.Tests.Conformance;

/// <summary>
/// cookie_attributes.json. Ours always has a path, "/" where none is given; and what nginx takes but no client would, is refused.
/// </summary>
[Collection(Recordings.Name)]
public sealed class CookieAttributeTests
{
    /// <summary>Accepted by nginx; no client would accept the cookie.</summary>
    private const string NoToken = "sticky cookie \"a b\"";

    [Fact]
    public async Task Cookies_are_written_as_nginx_wrote_them()
    {
        var entries = Testing.Vectors.Load("cookie_attributes.json").Items("entries");
        await using var replay = await Replay.StartAsync("cookie_attributes.json", entries.Select((entry, i) => Upstream($"cookie-{i}", entry)));

        foreach (var (i, entry) in entries.Index())
        {
            var before = Now();
            var answer = await replay.AskAsync($"/cookie-{i}{entry.Text("request_query")}");
            var expected = entry.Text("directive") == NoToken ? ["refused"] : Expected(entry, before).ToArray();
            var cookie = answer.Status == 404 ? "refused" : string.Join(" and ", answer.Cookies);
            replay.Compare($"{entry.Text("directive")} {entry.Text("request_query")}", expected.Contains(cookie) ? cookie : expected[0], cookie);
        }

        replay.End(entries.Length, "without path= ours says path=/; the name \"a b\" is refused");
        var told = (await replay.Process.ApiAsync("diagnostics")).EnumerateArray().Where(one => one.Text("severity") == "error");
        Assert.Equal(["spec.sticky.cookie.name"], told.Select(one => one.Text("field")));
    }

    /// <summary>What nginx would have sent in any second from that one to now.</summary>
    private static IEnumerable<string> Expected(JsonElement entry, DateTimeOffset before)
    {
        var recorded = entry.Text("set_cookie");
        if (!recorded.Contains("; path=", StringComparison.Ordinal)) recorded += "; path=/";
        var age = Regex.Match(recorded, "expires=[^;]*; max-age=(?<seconds>[0-9]+)", RegexOptions.NonBacktracking);
        if (!age.Success || entry.Text("directive").Contains("expires=max", StringComparison.Ordinal)) return [recorded];

        var seconds = (int)(Now() - before).TotalSeconds + 1;
        return Enumerable.Range(0, seconds + 1).Select(second =>
            recorded.Replace(age.Value, $"expires={Date(before.AddSeconds(second + long.Parse(age.Groups["seconds"].Value)))}; max-age={age.Groups["seconds"].Value}", StringComparison.Ordinal));
    }

    /// <summary>nginx writes two digits of the year as long as the time fits into 31 bits.</summary>
    private static string Date(DateTimeOffset time) => time.ToString(
        time.ToUnixTimeSeconds() > int.MaxValue ? "ddd, dd-MMM-yyyy HH:mm:ss 'GMT'" : "ddd, dd-MMM-yy HH:mm:ss 'GMT'", CultureInfo.InvariantCulture);

    private static DateTimeOffset Now() => DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());

    /// <summary>Reads the directive as nginx does, and writes it as our settings.</summary>
    private static string Upstream(string name, JsonElement entry)
    {
        var words = Regex.Matches(entry.Text("directive"), "\"[^\"]*\"|\\S+", RegexOptions.NonBacktracking).Select(word => word.Value.Trim('"')).Skip(2).ToArray();
        var fields = words.Skip(1).Select(word => word.Split('=', 2)).Select(word => word[0] switch
        {
            "expires" => $"expires: \"{word[1]}\"",
            "domain" => $"domain: \"{word[1]}\"",
            "path" => $"path: \"{word[1]}\"",
            "httponly" => "httpOnly: true",
            "secure" => "secure: Always",
            "samesite" => "sameSite: $same_site",
            _ => throw new ArgumentException(word[0]),
        }).ToList();
        if (!words.Contains("httponly")) fields.Add("httpOnly: false");
        if (!words.Contains("secure")) fields.Add("secure: Never");
        var route = entry.Text("server_parameters") is { Length: > 0 } parameters ? $", route: {parameters["route=".Length..]}" : "";
        return Replay.Upstream(
            name, [RecordedServers.Listening(0) + route],
            $"{Variables(words)}sticky: {{ cookie: {{ name: \"{words[0]}\", value: NginxSid, issue: Always, {string.Join(", ", fields)} }} }}");
    }

    /// <summary>The value of samesite= through a variable of our own: as a text the resource knows only Strict, Lax and None.</summary>
    private static string Variables(string[] words) => Array.Find(words, word => word.StartsWith("samesite=", StringComparison.Ordinal))?["samesite=".Length..] switch
    {
        null => "",
        "$arg_s" => "variables: [{ name: same_site, from: $arg_s, match: \"^(?<given>.+)$\", value: $given }]\n",
        "${arg_s}x" => "variables: [{ name: same_site, from: $arg_s, match: \"^(?<given>.*)$\", value: \"${given}x\" }]\n",
        var text => $"variables: [{{ name: same_site, from: $host, match: \".*\", value: {text} }}]\n",
    };
}
