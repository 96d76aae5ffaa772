using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Compilation;

/// <summary>From addresses to peers: who each one is, which state it carries over, and whether it takes new clients.</summary>
internal static class PeerPass
{
    /// <param name="overrides">What was changed at run time.</param>
    public static (PeerGroup Primaries, PeerGroup Backups) Run(
        UpstreamPlan plan, ImmutableArray<PeerCandidate> candidates, UpstreamState state, ImmutableDictionary<PeerKey, PeerOverride> overrides)
    {
        var identity = plan.Source.Spec.Sticky?.Identity ?? PeerIdentity.PodUID;
        var primaries = Name(candidates.Where(candidate => !candidate.Backup), identity, overrides);
        var backups = Name(candidates.Where(candidate => candidate.Backup), identity, overrides);

        // Where every endpoint is about to go, those that still serve take new clients too: an answer beats a 503.
        var lastResort = !primaries.Concat(backups).Any(named => named is { Candidate.Terminating: false, Down: false, Drain: false });
        var building = new Building(lastResort, state);
        var single = candidates.Length == 1;
        return (
            new(building.Group(primaries), backup: false, single),
            backups.IsEmpty ? PeerGroup.Empty : new(building.Group(backups), backup: true, single));
    }

    private static ImmutableArray<NamedCandidate> Name(
        IEnumerable<PeerCandidate> candidates, PeerIdentity identity, ImmutableDictionary<PeerKey, PeerOverride> overrides)
    {
        var ids = new FreeNames();
        var named = ImmutableArray.CreateBuilder<NamedCandidate>();
        foreach (var candidate in candidates)
        {
            var id = ids.Take(Identity(candidate, identity), candidate.Server.Spec.Name);
            var key = new PeerKey(candidate.Server.Spec.Name, new(id), candidate.Name);
            named.Add(new(candidate, key, overrides.GetValueOrDefault(key, PeerOverride.None)));
        }

        return named.ToImmutable();
    }

    private static string Identity(PeerCandidate candidate, PeerIdentity identity) => identity switch
    {
        PeerIdentity.PodUID when candidate.PodUid.Length > 0 => candidate.PodUid,
        PeerIdentity.PodUID or PeerIdentity.PodName when candidate.PodName.Length > 0 => candidate.PodName,
        _ => candidate.Name,
    };

    /// <summary>An address that is known as a peer, with what was changed about that peer at run time.</summary>
    private sealed record NamedCandidate(PeerCandidate Candidate, PeerKey Key, PeerOverride Override)
    {
        public bool Down => Override.Down ?? Candidate.Server.Spec.Down;

        public bool Drain => Override.Drain ?? Candidate.Server.Spec.Drain;
    }

    private sealed class Building(bool lastResort, UpstreamState state)
    {
        private readonly FreeNames _labels = new();

        public ImmutableArray<Peer> Group(ImmutableArray<NamedCandidate> named)
        {
            var peers = ImmutableArray.CreateBuilder<Peer>(named.Length);
            foreach (var one in named) peers.Add(Peer(one, peers.Count));
            return peers.MoveToImmutable();
        }

        private Peer Peer(NamedCandidate named, int index)
        {
            var (candidate, key, changed) = named;
            var spec = candidate.Server.Spec;
            var route = Route(candidate);
            var kept = state.Peer(key, route);
            return new()
            {
                Index = index,
                Id = key.Id,
                Name = key.Address,
                Server = candidate.Written ?? key.Address,
                Sid = route,
                Label = _labels.Take(candidate.PodName.Length > 0 ? candidate.PodName : key.Address, spec.Name),
                EndPoint = candidate.EndPoint,
                State = kept,
                Weight = changed.Weight ?? candidate.Weight,
                MaxConns = spec.MaxConns,
                MaxFails = spec.MaxFails,
                FailTimeoutSeconds = (long)spec.FailTimeout.TotalSeconds,
                SlowStartMilliseconds = (long)spec.SlowStart.TotalMilliseconds,
                Override = changed,
                Down = named.Down,
                Draining = named.Drain || (candidate.Terminating && !lastResort),
                Backup = candidate.Backup,
                Protocol = candidate.Protocol,
            };
        }

        /// <summary>Null: it has none, and nginx's name of its address is what clients know it by.</summary>
        private static string? Route(PeerCandidate candidate) => candidate.Server.Spec switch
        {
            { Route: { } route } => route,
            { RouteFrom: RouteFrom.PodName } when candidate.PodName.Length > 0 => candidate.PodName,
            { RouteFrom: not null } => candidate.Name,
            _ => null,
        };
    }
}
