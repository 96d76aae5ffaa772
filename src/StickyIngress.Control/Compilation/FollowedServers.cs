using System.Collections.Immutable;
using System.Net;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Resolving;
using StickyIngress.Control.Sources;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Compilation;

/// <summary>From the servers that follow a name to the addresses that it has now; before the first answer there are none.</summary>
internal sealed class FollowedServers(AddressBook addresses, UpstreamPlan plan, ResolverSettings resolver, DiagnosticBag found)
{
    private readonly ImmutableArray<PeerCandidate>.Builder _peers = ImmutableArray.CreateBuilder<PeerCandidate>();
    private readonly ImmutableArray<NameQuery>.Builder _names = ImmutableArray.CreateBuilder<NameQuery>();

    public ImmutableArray<NameQuery> Names => _names.ToImmutable();

    public ImmutableArray<PeerCandidate> Run()
    {
        foreach (var server in plan.Servers.Where(server => server.FollowedHost is not null))
        {
            var name = new NameQuery(server.FollowedHost!, server.Spec.Srv, resolver);
            if (!_names.Contains(name)) _names.Add(name);
            if (addresses.Find(name) is not { } answer) continue;

            if (answer.Error is { } error) found.Warn(Reasons.HostNotResolved, $"{server.Field}.address", $"{name.QuestionName}: {error}; {What(answer)}");
            if (name.Service is null) AddAddresses(server, answer.Addresses);
            else AddService(server, answer.Addresses);
        }

        return _peers.ToImmutable();
    }

    private static string What(NameAnswer answer) => answer.Addresses.IsEmpty
        ? "it is asked for again"
        : "what it last was stays, and it is asked for again";

    private void AddAddresses(ServerPlan server, ImmutableArray<ResolvedAddress> resolved)
    {
        foreach (var (address, _) in resolved) _peers.Add(Candidate(server, address, server.Address!.Port, server.Address.Text));
    }

    /// <summary>
    /// The lowest priority is primary and the others are backups, except of a backup and where the method knows no backups: there the others
    /// are left out. An address with its port that several records lead to counts once, with the best of them.
    /// </summary>
    private void AddService(ServerPlan server, ImmutableArray<ResolvedAddress> resolved)
    {
        var best = resolved.Select(known => known.Service!.Priority).DefaultIfEmpty().Min();
        var onlyBest = server.Spec.Backup || plan.Source.Spec.Balancing.Method is BalancingMethod.Hash or BalancingMethod.IPHash or BalancingMethod.Random;
        var taken = new HashSet<(IPAddress, int)>();
        foreach (var backups in (bool[])[false, true])
        {
            foreach (var (address, service) in resolved)
            {
                var other = service!.Priority != best;
                if (other != backups || (other && onlyBest) || !taken.Add((address, service.Port))) continue;

                _peers.Add(Candidate(server, address, service.Port, service.Target) with
                {
                    Weight = server.Spec.Weight != Defaults.Weight ? server.Spec.Weight : Math.Max(1, service.Weight),
                    Backup = server.Spec.Backup || other,
                });
            }
        }
    }

    private static PeerCandidate Candidate(ServerPlan server, IPAddress address, int port, string written) =>
        new(server, new IPEndPoint(address, port), written, "", "", Terminating: false, PeerProtocol.Http);
}
