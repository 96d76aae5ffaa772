using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Resolving;
using StickyIngress.Control.Sources;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Compilation;

/// <summary>
/// From servers to addresses. Servers stay in the order of the spec, those that follow a name after the others, as nginx adds their peers when
/// it has an answer; a name's addresses stay in the resolver's order; a Service's
/// endpoints are ordered by their printable address, ordinally, so that all replicas agree.
/// </summary>
internal sealed class ServerPass(
    ResourceSet resources, AddressBook addresses, UpstreamPlan plan, ImmutableArray<IPEndPoint> nameServers, DiagnosticBag found)
{
    private readonly ImmutableArray<PeerCandidate>.Builder _peers = ImmutableArray.CreateBuilder<PeerCandidate>();
    private readonly HashSet<string> _hosts = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The names that had to be looked up.</summary>
    public IReadOnlySet<string> Hosts => _hosts;

    /// <summary>The names that are followed.</summary>
    public ImmutableArray<NameQuery> FollowedNames { get; private set; } = [];

    public ImmutableArray<PeerCandidate> Run()
    {
        foreach (var server in plan.Servers.Where(server => server.FollowedHost is null))
        {
            if (server.Address is { } address) AddAddress(server, address, $"{server.Field}.address", PeerProtocol.Http);
            else if (server.Spec.Service is not null) AddService(server);
        }

        var mayFollow = !plan.NameServers.IsEmpty || plan.Servers.Any(server => server.FollowedHost is not null);
        if (mayFollow && Resolver() is { } resolver)
        {
            var followed = new FollowedServers(addresses, plan, resolver, found);
            _peers.AddRange(followed.Run());
            FollowedNames = followed.Names;
        }

        return _peers.ToImmutable();
    }

    /// <summary>Null: there is nobody to ask as long as the resolver's own name is not known.</summary>
    private ResolverSettings? Resolver()
    {
        var servers = plan.NameServers.IsEmpty ? nameServers : [.. plan.NameServers.SelectMany(NameServers).Distinct()];
        if (servers.IsEmpty) return null;

        return plan.Source.Spec.Resolver is not { } spec ? new() { Servers = servers } : new()
        {
            Servers = servers,
            Valid = spec.Valid > TimeSpan.Zero ? spec.Valid : null,
            Ipv4 = spec.Ipv4,
            Ipv6 = spec.Ipv6,
            Timeout = spec.Timeout,
            StatusZone = spec.StatusZone,
        };
    }

    private IEnumerable<IPEndPoint> NameServers(ServerAddress server, int index) =>
        (server.Ip is { } ip ? [ip] : Resolve(server.Host!, server.Text, ResolverPass.Field(index), "resolver")).Select(address => new IPEndPoint(address, server.Port));

    private void AddAddress(ServerPlan server, ServerAddress address, string field, PeerProtocol protocol)
    {
        if (address.UnixPath is { } path)
        {
            Add(server, new UnixDomainSocketEndPoint(path), address.Text, protocol);
        }
        else if (address.Ip is { } ip)
        {
            Add(server, new IPEndPoint(ip, address.Port), address.Text, protocol);
        }
        else
        {
            foreach (var resolved in Resolve(address.Host!, address.Text, field))
                Add(server, new IPEndPoint(resolved, address.Port), address.Text, protocol);
        }
    }

    private void Add(ServerPlan server, EndPoint endPoint, string written, PeerProtocol protocol) =>
        _peers.Add(new(server, endPoint, written, "", "", Terminating: false, protocol));

    private ImmutableArray<IPAddress> Resolve(string host, string text, string field, string place = "upstream")
    {
        _hosts.Add(host);
        if (addresses.Find(host) is not { } known) return [];

        if (known.Error is not null)
            found.Error(Reasons.HostNotFound, field, $"host not found in {place} \"{text}\"; it is asked for again");

        return known.Addresses;
    }

    private void AddService(ServerPlan server)
    {
        var (wanted, field) = (server.Spec.Service!, $"{server.Field}.service");
        var named = new ResourceRef(Service.KindName, plan.Source.Metadata.Namespace, wanted.Name);
        if (!resources.Services.TryGetValue(named, out var service))
        {
            found.Error(Reasons.ServiceNotFound, $"{field}.name", $"there is no {named}");
            return;
        }

        if (service.Type == "ExternalName")
        {
            AddExternalName(server, service, field);
            return;
        }

        if (!ServicePorts.TryFind(service, wanted.Port, out var port, out var error))
        {
            found.Error(Reasons.PortNotFound, $"{field}.port", error);
            return;
        }

        JudgeProtocol(port.AppProtocol, named, field);
        AddEndpoints(server, service, port, resources.EndpointSlices.GetValueOrDefault(named, []), field);
    }

    /// <summary>Warns of what an appProtocol makes useless, or of one that is not spoken.</summary>
    private void JudgeProtocol(string? said, ResourceRef by, string field)
    {
        var protocol = ServicePorts.Protocol(said);
        if (plan.Source.Spec.Ntlm && plan.Proxy.Protocol is null && protocol is PeerProtocol.H2 or PeerProtocol.H2c)
            found.Warn(Reasons.UnsupportedByEngine, $"{field}.port", $"{by} says appProtocol {said}, and ntlm has no effect with that");
        if (protocol is null)
            found.Warn(Reasons.UnsupportedAppProtocol, $"{field}.port", $"{by} says appProtocol {said}, which is not spoken here; HTTP is");
    }

    private void AddEndpoints(ServerPlan server, Service service, ServicePort port, ImmutableArray<EndpointSlice> slices, string field)
    {
        var endpoints = new EndpointMerge(service, port);
        foreach (var slice in slices)
        {
            if (slice.AddressType is not ("IPv4" or "IPv6"))
            {
                found.Warn(Reasons.UnsupportedAddressType, field, $"{slice.Ref} has addresses of type {slice.AddressType}; IPv4 and IPv6 are used");
                continue;
            }

            endpoints.Add(slice);
            foreach (var listed in slice.Ports)
            {
                // Kubernetes copies what the Service says, but slices may also be written by hand.
                if (endpoints.IsMeant(listed) && listed.AppProtocol is { } said && said != port.AppProtocol) JudgeProtocol(said, slice.Ref, field);
            }
        }

        foreach (var endpoint in endpoints.Ordered())
        {
            _peers.Add(new(
                server, endpoint.EndPoint, null, endpoint.PodName, endpoint.PodUid,
                Terminating: !endpoint.Ready, ServicePorts.Protocol(endpoint.AppProtocol ?? port.AppProtocol) ?? PeerProtocol.Http)
            {
                Name = endpoint.Name,
            });
        }
    }

    private void AddExternalName(ServerPlan server, Service service, string field)
    {
        var (port, error) = ServicePorts.ExternalPort(service, server.Spec.Service!.Port);
        if (error is not null)
        {
            found.Error(Reasons.PortNotFound, $"{field}.port", error);
            return;
        }

        var text = $"{service.ExternalName}:{port.Port}";
        if (!ServerAddress.TryParse(text, out var address, out error) || address.UnixPath is not null)
            found.Error(Reasons.InvalidAddress, field, $"{error ?? "invalid host"} in \"{text}\", the externalName of {service.Ref}; a DNS name or an IPv4 address is allowed");
        else
            AddAddress(server, address, field, ServicePorts.Protocol(port.AppProtocol) ?? PeerProtocol.Http);
        JudgeProtocol(port.AppProtocol, service.Ref, field);
    }
}
