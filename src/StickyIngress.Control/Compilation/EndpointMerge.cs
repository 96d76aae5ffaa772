using System.Net;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Compilation;

/// <summary>
/// The endpoints of one Service port out of all its slices. An endpoint that stands in several slices, as it may while Kubernetes moves it,
/// counts once, with the best that is said of it.
/// </summary>
internal sealed class EndpointMerge(Service service, ServicePort port)
{
    private readonly Dictionary<IPEndPoint, MergedEndpoint> _found = [];

    public void Add(EndpointSlice slice)
    {
        foreach (var listed in slice.Ports)
        {
            if (!IsMeant(listed)) continue;

            var number = listed.Port != 0 ? listed.Port : TargetPort();
            foreach (var endpoint in slice.Endpoints) Add(endpoint, number, listed.AppProtocol);
        }
    }

    public bool IsMeant(in EndpointPort listed) => listed.Name == port.Name && listed.Protocol == port.Protocol;

    public List<MergedEndpoint> Ordered()
    {
        var endpoints = _found.Values.ToList();
        endpoints.Sort(static (one, other) => string.CompareOrdinal(one.Name, other.Name));
        return endpoints;
    }

    private void Add(in Endpoint endpoint, int number, string? appProtocol)
    {
        var ready = (endpoint.Conditions & EndpointConditions.Ready) != EndpointConditions.None || service.PublishNotReadyAddresses;
        var draining = (endpoint.Conditions & (EndpointConditions.Serving | EndpointConditions.Terminating))
            == (EndpointConditions.Serving | EndpointConditions.Terminating);
        if ((!ready && !draining) || !IPAddress.TryParse(endpoint.Address, out var ip)) return;

        var address = new IPEndPoint(ip, number);
        if (_found.TryGetValue(address, out var known) && (known.Ready || !ready)) return;

        _found[address] = new(address, PeerNames.Format(address), endpoint.PodName, endpoint.PodUid, ready, appProtocol);
    }

    /// <summary>For a slice that gives no number: all ports of the endpoint are meant, so the Service says which.</summary>
    private int TargetPort() => int.TryParse(port.TargetPort, out var target) && target > 0 ? target : port.Port;
}

/// <param name="Ready">Takes new clients; else it is terminating and keeps those it has.</param>
internal sealed record MergedEndpoint(IPEndPoint EndPoint, string Name, string PodName, string PodUid, bool Ready, string? AppProtocol);
