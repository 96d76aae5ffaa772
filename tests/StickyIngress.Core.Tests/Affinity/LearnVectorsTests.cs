using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Balancing;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Tests.Fakes;
using StickyIngress.Core.Upstreams;
using StickyIngress.Testing;
using FakeRequest = StickyIngress.Core.Tests.Fakes.FakeRequest;

namespace StickyIngress.Core.Tests.Affinity;

/// <summary>
/// The recorded learn scripts of nginx, replayed request by request: the same peers are tried in the same order.
/// </summary>
public sealed class LearnVectorsTests
{
    private static readonly JsonElement[] Cases = [.. Vectors.Load("learn.json").GetProperty("cases").EnumerateArray()];

    public static TheoryData<string> Names => [.. Cases.Select(recorded => recorded.GetProperty("name").GetString()!)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Sessions_go_where_nginx_sends_them(string name)
    {
        var recorded = Cases.Single(entry => entry.GetProperty("name").GetString() == name);
        var time = new FakeTimeProvider();
        var upstream = Upstream(recorded, time);
        var selector = new PeerSelector(new(time));

        var requests = recorded.GetProperty("requests").EnumerateArray().ToArray();
        var answers = requests.Select(request => string.Join(',', Ask(upstream, selector, request)));

        Assert.Equal(requests.Select(request => string.Join(',', Numbers(request, "tried"))), answers);
    }

    private static Upstream Upstream(JsonElement recorded, TimeProvider time)
    {
        var state = new UpstreamState(FakePeers.Shop);
        var weights = Numbers(recorded, "weights");
        ImmutableArray<Peer> peers = [.. weights.Select((weight, i) => FakePeers.Create(state, ((char)('a' + i)).ToString(), i, weight: weight))];
        var group = new PeerGroup(peers, backup: false, single: false);

        var words = recorded.GetProperty("sticky").GetString()!.Split(' ');
        var settings = new LearnSettings(Templates(words, "create="), Templates(words, "lookup="), words.Contains("header"));
        var table = new SessionTable(new(4032, TimeSpan.FromHours(1)), time);
        var affinity = new LearnAffinity(settings, table, new(new byte[16], "z"), new(), group, PeerGroup.Empty);
        IBalancer balancer = recorded.GetProperty("method").GetString() == "least_conn"
            ? new LeastConnBalancer(group, PeerGroup.Empty)
            : new RoundRobinBalancer(group, PeerGroup.Empty);
        return FakePeers.Upstream(state, group, affinity, balancer: balancer);
    }

    /// <summary>
    /// One request with proxy_next_upstream error http_404 http_502; gives the peers that were tried.
    /// </summary>
    private static List<int> Ask(Upstream upstream, PeerSelector selector, JsonElement request)
    {
        var values = new FakeRequest
        {
            Cookie = Text(request, "cookie_sid") is { } cookie ? "sid=" + cookie : "",
            Args = Text(request, "arg_sid") is { } arg ? new() { ["sid"] = arg } : [],
        };
        var (notFound, badGateway) = (Numbers(request, "failing_404"), Numbers(request, "failing_502"));
        var selection = new Selection(upstream, values, 0);
        var tried = new List<int>();
        while (true)
        {
            using var lease = selector.Select(selection).Lease!;
            var peer = lease.Peer.Index;
            tried.Add(peer);
            values.ResponseCookies = Text(request, "response_sid") is { } sid ? [$"sid={sid}; Path=/; HttpOnly"] : [];

            var goesOn = selection.Tries > 1 && (notFound.Contains(peer) || badGateway.Contains(peer));
            if (goesOn) lease.Fail(notFound.Contains(peer) ? TryOutcome.Next : TryOutcome.Failed, BreakReason.PeerFailed);
            else lease.HeaderReceived();
            if (!goesOn) return tried;
        }
    }

    private static ImmutableArray<Core.Variables.Template> Templates(string[] words, string parameter) =>
        FakePeers.Templates([.. words.Where(word => word.StartsWith(parameter, StringComparison.Ordinal)).Select(word => word[parameter.Length..])]);

    private static int[] Numbers(JsonElement element, string property) =>
        element.TryGetProperty(property, out var numbers) ? [.. numbers.EnumerateArray().Select(number => number.GetInt32())] : [];

    private static string? Text(JsonElement element, string property) => element.TryGetProperty(property, out var text) ? text.GetString() : null;
}
