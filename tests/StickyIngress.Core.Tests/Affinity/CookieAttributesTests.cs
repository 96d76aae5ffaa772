using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Tests.Fakes;
using StickyIngress.Core.Upstreams;
using StickyIngress.Testing;
using FakeRequest = StickyIngress.Core.Tests.Fakes.FakeRequest;

namespace StickyIngress.Core.Tests.Affinity;

/// <summary>Every recorded Set-Cookie header of nginx, from the same directive.</summary>
public sealed class CookieAttributesTests
{
    private static readonly JsonElement[] Entries = [.. Vectors.Load("cookie_attributes.json").GetProperty("entries").EnumerateArray()];

    public static TheoryData<int> Recorded => [.. Enumerable.Range(0, Entries.Length)];

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Attributes_are_written_as_nginx_writes_them(int number)
    {
        var entry = Entries[number];
        var time = new FakeTimeProvider(Date(Text(entry, "response_date") ?? "Mon, 23 Nov 2026 02:00:10 GMT"));
        var state = new UpstreamState(FakePeers.Shop);
        var route = Text(entry, "server_parameters") is { } parameters ? "=" + parameters["route=".Length..] : "";
        var primaries = new PeerGroup([FakePeers.Create(state, "a" + route, 0, port: 21001)], backup: false, single: true);
        var affinity = new CookieAffinity(
            Settings(Text(entry, "directive")!), AffinityKeys.CreateRandom(), new(time), state, primaries, PeerGroup.Empty);
        var request = new FakeRequest { Host = "127.0.0.1", Args = Query(Text(entry, "request_query") ?? "?") };
        var selection = new Selection(FakePeers.Upstream(state, primaries, affinity), request, 0);

        new PeerSelector(new(time)).Select(selection).Lease!.Dispose();

        Assert.Equal(Text(entry, "set_cookie"), selection.SetCookie);
    }

    /// <summary>Reads the directive as nginx does, and writes it as our settings.</summary>
    private static CookieSettings Settings(string directive)
    {
        var words = Regex.Matches(directive, "\"[^\"]*\"|\\S+", RegexOptions.NonBacktracking).Select(word => word.Value.Trim('"')).Skip(2).ToArray();
        var settings = new CookieSettings { Name = words[0], Form = CookieForm.NginxSid, Path = null, Secure = SecureFlag.Never, Issue = CookieIssuing.Always };
        return words.Skip(1).Select(word => word.Split('=', 2)).Aggregate(settings, (before, word) => word[0] switch
        {
            "expires" => before with { Expires = Expires(word[1]) },
            "domain" => before with { Domain = FakePeers.Template(word[1]) },
            "path" => before with { Path = word[1] },
            "httponly" => before with { HttpOnly = true },
            "secure" => before with { Secure = SecureFlag.Always },
            "samesite" => before with { SameSite = FakePeers.Template(word[1]) },
            _ => throw new ArgumentException(word[0]),
        });
    }

    private static TimeSpan Expires(string text) => text == "max" ? CookieSettings.Max : Regex.Matches(text, @"(?<number>\d+)(?<unit>[a-z]*)", RegexOptions.NonBacktracking)
        .Select(part => int.Parse(part.Groups["number"].Value) * part.Groups["unit"].Value switch
        {
            "y" => TimeSpan.FromDays(365),
            "d" => TimeSpan.FromDays(1),
            "h" => TimeSpan.FromHours(1),
            "m" => TimeSpan.FromMinutes(1),
            _ => TimeSpan.FromSeconds(1),
        })
        .Aggregate(TimeSpan.Zero, (sum, time) => sum + time);

    private static Dictionary<string, string> Query(string query) => query[1..]
        .Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);

    private static DateTimeOffset Date(string text) => DateTimeOffset.ParseExact(text, "r", CultureInfo.InvariantCulture);

    private static string? Text(JsonElement entry, string property) => entry.TryGetProperty(property, out var value) ? value.GetString() : null;
}
