using StickyIngress.Api;
using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Balancing;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Sharing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Control.Compilation;

/// <summary>Puts an upstream together: peers, balancer, affinity. What these need of the installation comes in here.</summary>
/// <param name="sharing">Shares the sessions of those that ask for it; null: there is no store.</param>
public sealed class UpstreamBuilder(AffinityKeysHolder keys, SessionZones zones, Clock clock, Random random, SessionSharing? sharing = null)
{
    private const long ZonePage = 4096;
    private const long SessionsPerPage = 16;

    /// <summary>The keys of opaque cookies; a compile uses those that it began with.</summary>
    internal AffinityKeysHolder Keys => keys;

    internal Upstream Build(
        UpstreamPlan plan, AffinityKeys keysNow, UpstreamState state, PeerGroup primaries, PeerGroup backups, Upstream? former)
    {
        return new()
        {
            Name = state.Name,
            State = state,
            Primaries = primaries,
            Backups = backups,
            Balancer = Balancer(plan, primaries, backups, former?.Balancer),
            Affinity = Affinity(plan, keysNow, state, primaries, backups),
            FailStatus = plan.Source.Spec.Sticky is { OnUnavailable: OnUnavailable.Fail } sticky ? sticky.FailStatus : null,
            Queue = plan.Source.Spec.Queue is { } queue ? new(queue.Size, queue.Timeout) : null,
            HealthCheck = plan.HealthCheck,
        };
    }

    /// <param name="former">The upstream's balancer so far, whose work a ring can take over; null: none.</param>
    private IBalancer Balancer(UpstreamPlan plan, PeerGroup primaries, PeerGroup backups, IBalancer? former)
    {
        var spec = plan.Source.Spec.Balancing;
        return spec.Method switch
        {
            BalancingMethod.LeastConn => new LeastConnBalancer(primaries, backups),
            BalancingMethod.LeastTime => new LeastTimeBalancer(
                primaries, backups, spec.LeastTime?.Measure == LeastTimeMeasure.LastByte ? TimeMeasure.LastByte : TimeMeasure.Header, spec.LeastTime?.Inflight ?? false),
            BalancingMethod.Hash when spec.Hash?.Consistent == true => new ConsistentHashBalancer(primaries, backups, plan.HashKey ?? Template.Empty, former),
            BalancingMethod.Hash => new HashBalancer(primaries, backups, plan.HashKey ?? Template.Empty),
            BalancingMethod.IPHash => new IpHashBalancer(primaries, backups),
            BalancingMethod.Random => new RandomBalancer(primaries, backups, Two(spec.Random), random),
            _ => new RoundRobinBalancer(primaries, backups),
        };
    }

    /// <summary>Null: one is drawn, not two.</summary>
    private static RandomTwo? Two(RandomSpec? spec) => spec switch
    {
        not { Two: true } => null,
        { Method: RandomMethod.LeastTimeHeader } => RandomTwo.LeastTimeHeader,
        { Method: RandomMethod.LeastTimeLastByte } => RandomTwo.LeastTimeLastByte,
        _ => RandomTwo.LeastConn,
    };

    private IAffinity? Affinity(UpstreamPlan plan, AffinityKeys keysNow, UpstreamState state, PeerGroup primaries, PeerGroup backups)
    {
        if (plan.Affinity is not { } affinity) return null;

        return plan.Source.Spec.Sticky switch
        {
            { Cookie: { } cookie } sticky => new CookieAffinity(Settings(cookie, affinity, sticky.Identity), keysNow, clock, state, primaries, backups),
            { Learn: { } learn } => Learn(learn, plan, affinity, keysNow, primaries, backups),
            { Route: not null } => new RouteAffinity(affinity.From, state, primaries, backups),
            _ => null,
        };
    }

    private LearnAffinity Learn(
        StickyLearnSpec learn, UpstreamPlan plan, AffinityPlan affinity, AffinityKeys keysNow, PeerGroup primaries, PeerGroup backups)
    {
        var zone = zones.GetOrAdd(plan.Zone!, new(Capacity(learn), learn.Timeout));
        return new(
            new(affinity.Create, affinity.Lookup, learn.Header), zone.Table, zone.Hasher, zone.Peers, primaries, backups,
            Share(learn, plan.Source.Metadata, zone), learn.Sync ? zones.OtherHashers(plan.Zone!, keysNow.SessionSecrets) : []);
    }

    /// <summary>Files give no UID; there the name is what all replicas have.</summary>
    private SharedZone? Share(StickyLearnSpec learn, ObjectMeta upstream, SessionZone zone)
    {
        if (learn.Sync) return sharing?.Join(upstream.Uid.Length > 0 ? upstream.Uid : $"{upstream.Namespace}/{upstream.Name}", zone);

        sharing?.Leave(zone);
        return null;
    }

    /// <summary>As many sessions as nginx keeps in a zone of that size.</summary>
    private static int Capacity(StickyLearnSpec learn) =>
        learn.MaxSessions ?? (int)Math.Min((learn.Zone?.Size ?? 0) / ZonePage * SessionsPerPage, int.MaxValue);

    private static CookieSettings Settings(StickyCookieSpec cookie, AffinityPlan affinity, PeerIdentity identity) => new()
    {
        Name = cookie.Name,
        Form = Form(cookie.Value),
        Accept = cookie.Accept is { } accept ? Form(accept) : null,
        Expires = cookie.Expires is { } expires ? expires.After ?? CookieSettings.Max : null,
        Domain = affinity.Domain,
        Path = cookie.Path,
        HttpOnly = cookie.HttpOnly,
        Secure = cookie.Secure switch
        {
            CookieSecure.Always => SecureFlag.Always,
            CookieSecure.Never => SecureFlag.Never,
            _ => SecureFlag.Auto,
        },
        SameSite = affinity.SameSite,
        Partitioned = cookie.Partitioned,
        Issue = cookie.Issue == CookieIssue.Always ? CookieIssuing.Always : CookieIssuing.OnChange,
        IdleTimeout = cookie.IdleTimeout,
        AbsoluteTimeout = cookie.AbsoluteTimeout,
        PeersReturn = identity == PeerIdentity.PodName,
    };

    private static CookieForm Form(CookieValue value) => value == CookieValue.NginxSid ? CookieForm.NginxSid : CookieForm.Opaque;
}
