using System.Net;
using System.Text.Json.Nodes;
using StickyIngress.Testing;

namespace StickyIngress.Benchmarks.Scale;

/// <summary>What the cluster holds: thousands of upstreams with four endpoints each, one with thousands, and a few that are really asked.</summary>
internal static class ScaleObjects
{
    public const string Namespace = "web";
    public const int EndpointsOfEach = 4;
    public const int EndpointsOfSlice = 100;
    public const string Big = "big";

    /// <summary>How many upstreams are really asked.</summary>
    public const int Probes = 4;

    /// <summary>
    /// Of a network for tests (RFC 2544): kube-apiserver takes no loopback addresses as endpoints. tests/loopback.sh has them on its loopback.
    /// </summary>
    public static IPAddress[] Backends { get; } = [IPAddress.Parse("198.18.0.1"), IPAddress.Parse("198.18.0.2")];

    public static string Name(int upstream) => $"u{upstream:d5}";

    public static string Probe(int number) => $"probe{number}";

    /// <summary>So many upstreams that nobody asks, with all that belongs to them.</summary>
    public static IEnumerable<JsonObject> Upstreams(int count) =>
        Enumerable.Range(0, count).SelectMany(upstream => Upstream(Name(upstream)).Append(Slice(upstream, 0)));

    /// <summary>The upstreams that are asked, with that server behind each.</summary>
    public static IEnumerable<JsonObject> AllProbes(TestBackend backend) =>
        Enumerable.Range(0, Probes).SelectMany(number => Upstream(Probe(number)).Append(ProbeSlice(number, backend)));

    /// <summary>The StickyUpstream with its host and the Service that it names.</summary>
    public static IEnumerable<JsonObject> Upstream(string name)
    {
        var upstream = FakeObjects.StickyUpstream(Namespace, name, name);
        upstream["spec"]!["routes"] = new JsonArray(new JsonObject { ["hosts"] = new JsonArray($"{name}.example.com") });
        upstream["spec"]!["sticky"] = new JsonObject { ["cookie"] = new JsonObject { ["name"] = "srv_id" } };
        return [upstream, FakeObjects.Service(Namespace, name, ("http", 80))];
    }

    /// <summary>The slice of an upstream that nobody asks; the turn moves its last endpoint to another address.</summary>
    public static JsonObject Slice(int upstream, int turn) => FakeObjects.EndpointSlice(Namespace, $"{Name(upstream)}-1", Name(upstream),
        [.. Enumerable.Range(1, EndpointsOfEach - 1).Append(EndpointsOfEach + turn % 100).Select(last => $"10.{upstream / 250}.{upstream % 250}.{last}")]);

    /// <summary>One of the many slices of the big upstream.</summary>
    public static JsonObject BigSlice(int slice, int turn) => FakeObjects.EndpointSlice(Namespace, $"{Big}-{slice:d3}", Big,
        [.. Enumerable.Range(0, EndpointsOfSlice - 1).Append(EndpointsOfSlice + turn % 100).Select(last => $"10.100.{slice}.{last + 1}")]);

    /// <summary>The slice of a probe, whose only endpoint is a real server.</summary>
    public static JsonObject ProbeSlice(int number, TestBackend backend)
    {
        var slice = FakeObjects.EndpointSlice(Namespace, $"{Probe(number)}-1", Probe(number), backend.EndPoint.Address.ToString());
        slice["ports"]![0]!["port"] = backend.EndPoint.Port;
        return slice;
    }
}
