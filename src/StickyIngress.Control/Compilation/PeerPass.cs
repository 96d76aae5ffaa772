using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Compilation;

/// <summary>From addresses to peers: who each one is, which state it carries over, and whether it takes new clients.</summary>
internal static class PeerPass
{
    public static (PeerGroup Primaries, PeerGroup Backups) Run(UpstreamPlan plan, ImmutableArray<PeerCandidate> candidates, UpstreamState state)
    {
        // Where every endpoint is about to go, those that still serve take new clients too: an answer beats a 503.
        var lastResort = !candidates.Any(candidate => candidate is { Terminating: false, Server.Spec: { Down: false, Drain: false } });
        var naming = new Naming(plan.Source.Spec.Sticky?.Identity ?? PeerIdentity.PodUID, lastResort, state);
        var primaries = naming.Group(candidates.Where(candidate => !candidate.Backup));
        var backups = naming.Group(candidates.Where(candidate => candidate.Backup));
        var single = candidates.Length == 1;
        return (new(primaries, backup: false, single), backups.IsEmpty ? PeerGroup.Empty : new(backups, backup: true, single));
    }

    private sealed class Naming(PeerIdentity identity, bool lastResort, UpstreamState state)
    {
        private readonly HashSet<string> _labels = [];

        public ImmutableArray<Peer> Group(IEnumerable<PeerCandidate> candidates)
        {
            var ids = new HashSet<string>();
            var peers = ImmutableArray.CreateBuilder<Peer>();
            foreach (var candidate in candidates) peers.Add(Peer(candidate, peers.Count, ids));
            return peers.ToImmutable();
        }

        private Peer Peer(PeerCandidate candidate, int index, HashSet<string> ids)
        {
            var (spec, name) = (candidate.Server.Spec, candidate.Name);
            var id = new PeerId(FirstFree(ids, Identity(candidate), spec.Name));
            var sid = Sid(candidate);
            return new()
            {
                Index = index,
                Id = id,
                Name = name,
                Server = candidate.Written ?? name,
                Sid = sid,
                Label = FirstFree(_labels, candidate.PodName.Length > 0 ? candidate.PodName : name, spec.Name),
                EndPoint = candidate.EndPoint,
                State = state.Peer(new(spec.Name, id, name), sid),
                Weight = candidate.Weight,
                MaxConns = spec.MaxConns,
                MaxFails = spec.MaxFails,
                FailTimeoutSeconds = (long)spec.FailTimeout.TotalSeconds,
                SlowStartMilliseconds = (long)spec.SlowStart.TotalMilliseconds,
                Down = spec.Down,
                Draining = spec.Drain || (candidate.Terminating && !lastResort),
                Backup = candidate.Backup,
                Protocol = candidate.Protocol,
            };
        }

        private string Identity(PeerCandidate candidate) => identity switch
        {
            PeerIdentity.PodUID when candidate.PodUid.Length > 0 => candidate.PodUid,
            PeerIdentity.PodUID or PeerIdentity.PodName when candidate.PodName.Length > 0 => candidate.PodName,
            _ => candidate.Name,
        };

        private static string Sid(PeerCandidate candidate) => candidate.Server.Spec switch
        {
            { Route: { } route } => route,
            { RouteFrom: RouteFrom.PodName } when candidate.PodName.Length > 0 => candidate.PodName,
            { RouteFrom: not null } => candidate.Name,
            _ => PeerNames.Sid(candidate.Name),
        };

        /// <summary>
        /// The name itself; where a peer before has it (one pod behind two servers), with the server's name, and then with a number, so
        /// that no two peers are taken for one.
        /// </summary>
        private static string FirstFree(HashSet<string> taken, string name, string server)
        {
            if (taken.Add(name)) return name;

            var qualified = $"{server}/{name}";
            for (var number = 2; !taken.Add(qualified); number++) qualified = $"{server}/{name}/{number}";
            return qualified;
        }
    }
}
