using System.Net;
using StickyIngress.Core;
using StickyIngress.Core.Balancing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Benchmarks;

/// <summary>Upstreams of any size.</summary>
internal static class SamplePeers
{
    public static Upstream Upstream(int count, int weights, Func<PeerGroup, IBalancer> balancer)
    {
        var state = new UpstreamState(new("default", "sample"));
        var group = new PeerGroup(
            [.. Enumerable.Range(0, count).Select(i => Peer(state, i, 1 + (i % weights)))], backup: false, single: false);
        return new() { Name = state.Name, State = state, Primaries = group, Balancer = balancer(group) };
    }

    private static Peer Peer(UpstreamState state, int index, int weight)
    {
        var address = new IPEndPoint(new IPAddress([10, 0, (byte)(index >> 8), (byte)index]), 8080);
        var name = address.ToString();
        return new()
        {
            Index = index,
            Id = new(name),
            Name = name,
            Server = name,
            Sid = name,
            Label = name,
            EndPoint = address,
            State = state.Peer(new("sample", new(name), name)),
            Weight = weight,
        };
    }
}

/// <summary>A request whose every variable has that value.</summary>
internal sealed class SampleRequest(string key, IPAddress address) : RequestValues
{
    public override IPAddress? ClientAddress => address;

    public override bool IsHttps => false;

    public override bool TryGetCookie(string name, out ReadOnlySpan<char> value)
    {
        value = default;
        return false;
    }

    protected override string? Read(Variable variable) => key;
}
