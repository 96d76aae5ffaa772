using StickyIngress.Api.Reading;

namespace StickyIngress.Api;

/// <summary>
/// The rules over several fields, in C#. Each stands as a CEL rule with the same message on the record that it is about,
/// so that the API server refuses what <c>validate</c> refuses; a test goes through them one by one.
/// </summary>
public static class SpecRules
{
    private static readonly AsciiSet HostCharacters =
        new("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

    internal const string OnePrimary = "at least one server must not be a backup";
    internal const string NoBackup = "backup cannot be used with method Hash, IPHash or Random";
    internal const string NoSlowStart = "slowStart cannot be used with method Hash, IPHash or Random";
    internal const string PathBegins = "path must begin with / unless pathType is Regex";
    internal const string ServiceOrAddress = "exactly one of service and address must be set";
    internal const string RouteOrRouteFrom = "route and routeFrom cannot both be set";
    internal const string RouteFromService = "routeFrom can only be set with service";
    internal const string ResolveAddress = "resolve can only be set with address";
    internal const string SrvResolve = "srv needs resolve";
    internal const string SrvName = "srv needs an address that is a name without a port";
    internal const string SomeAddressFamily = "ipv4 and ipv6 cannot both be false";
    internal const string HashOnly = "hash must be set with method Hash, and only then";
    internal const string LeastTimeOnly = "leastTime can only be set with method LeastTime";
    internal const string RandomOnly = "random can only be set with method Random";
    internal const string OneStickyMode = "exactly one of cookie, route and learn must be set";
    internal const string SameSiteNone = "sameSite None needs secure Always or Auto";
    internal const string PartitionedSecure = "partitioned needs secure Always or Auto";
    internal const string SecurePrefix = "a name that begins with __Secure- needs secure Always or Auto";
    internal const string HostPrefix = "a name that begins with __Host- needs secure Always or Auto, path / and no domain";
    internal const string NoNginxTimeouts = "idleTimeout and absoluteTimeout cannot be used with value NginxSid";
    internal const string ZoneOrMaxSessions = "exactly one of zone and maxSessions must be set";
    internal const string ZoneSize = "size must be at least 32k";
    internal const string OffAlone = "Off must stand alone";
    internal const string OnOrConditions = "on and conditions are two names of one field and cannot both be set";
    internal const string PersistentMandatory = "persistent needs mandatory";

    private const long SmallestZone = 32 * 1024;

    /// <summary>All that the spec breaks, in the order of its fields.</summary>
    public static IReadOnlyList<SpecViolation> Check(StickyUpstreamSpec spec)
    {
        var found = new List<SpecViolation>();
        Group(found, "spec", spec);
        for (var i = 0; i < spec.Routes.Count; i++) Route(found, $"spec.routes[{i}]", spec.Routes[i]);
        for (var i = 0; i < spec.Servers.Count; i++) Server(found, $"spec.servers[{i}]", spec.Servers[i]);
        When(found, "spec.resolver", spec.Resolver is { Ipv4: false, Ipv6: false }, SomeAddressFamily);
        Balancing(found, "spec.balancing", spec.Balancing);
        if (spec.Sticky is { } sticky) Sticky(found, "spec.sticky", sticky);
        Proxy(found, "spec.proxy", spec.Proxy);
        When(found, "spec.healthCheck", spec.HealthCheck is { Persistent: true, Mandatory: false }, PersistentMandatory);
        return found;
    }

    private static void Group(List<SpecViolation> found, string field, StickyUpstreamSpec spec)
    {
        var hashes = spec.Balancing.Method is BalancingMethod.Hash or BalancingMethod.IPHash or BalancingMethod.Random;
        When(found, field, spec.Servers.All(static s => s.Backup), OnePrimary);
        When(found, field, hashes && spec.Servers.Any(static s => s.Backup), NoBackup);
        When(found, field, hashes && spec.Servers.Any(static s => s.SlowStart > TimeSpan.Zero), NoSlowStart);
    }

    private static void Route(List<SpecViolation> found, string field, RouteSpec route)
    {
        for (var i = 0; i < route.Paths.Count; i++)
            When(found, $"{field}.paths[{i}]", route.Paths[i].PathType != PathType.Regex && !route.Paths[i].Path.StartsWith('/'), PathBegins);
        if (route.Proxy is { } proxy) Proxy(found, $"{field}.proxy", proxy);
    }

    private static void Server(List<SpecViolation> found, string field, ServerSpec server)
    {
        When(found, field, server.Service is null == server.Address is null, ServiceOrAddress);
        When(found, field, server.Route is not null && server.RouteFrom is not null, RouteOrRouteFrom);
        When(found, field, server.RouteFrom is not null && server.Service is null, RouteFromService);
        When(found, field, server.Resolve && server.Address is null, ResolveAddress);
        When(found, field, server.Srv is not null && !server.Resolve, SrvResolve);
        When(found, field, server.Srv is not null && !IsName(server.Address), SrvName);
    }

    private static void Balancing(List<SpecViolation> found, string field, BalancingSpec balancing)
    {
        When(found, field, balancing.Method == BalancingMethod.Hash != balancing.Hash is not null, HashOnly);
        When(found, field, balancing.LeastTime is not null && balancing.Method != BalancingMethod.LeastTime, LeastTimeOnly);
        When(found, field, balancing.Random is not null && balancing.Method != BalancingMethod.Random, RandomOnly);
    }

    private static void Sticky(List<SpecViolation> found, string field, StickySpec sticky)
    {
        var modes = (sticky.Cookie is null ? 0 : 1) + (sticky.Route is null ? 0 : 1) + (sticky.Learn is null ? 0 : 1);
        When(found, field, modes != 1, OneStickyMode);
        if (sticky.Cookie is { } cookie) Cookie(found, $"{field}.cookie", cookie);
        if (sticky.Learn is { } learn) Learn(found, $"{field}.learn", learn);
    }

    private static void Cookie(List<SpecViolation> found, string field, StickyCookieSpec cookie)
    {
        var open = cookie.Secure == CookieSecure.Never;
        var secureName = cookie.Name.StartsWith("__Secure-", StringComparison.OrdinalIgnoreCase);
        var hostName = cookie.Name.StartsWith("__Host-", StringComparison.OrdinalIgnoreCase);
        When(found, field, cookie.SameSite == "None" && open, SameSiteNone);
        When(found, field, cookie.Partitioned && open, PartitionedSecure);
        When(found, field, secureName && open, SecurePrefix);
        When(found, field, hostName && (open || cookie.Path != "/" || cookie.Domain is not null), HostPrefix);
        When(found, field, cookie.Value == CookieValue.NginxSid && (cookie.IdleTimeout ?? cookie.AbsoluteTimeout) is not null, NoNginxTimeouts);
    }

    private static void Learn(List<SpecViolation> found, string field, StickyLearnSpec learn)
    {
        When(found, field, learn.Zone is null == learn.MaxSessions is null, ZoneOrMaxSessions);
        When(found, $"{field}.zone", learn.Zone is { Size: < SmallestZone }, ZoneSize);
    }

    private static void Proxy(List<SpecViolation> found, string field, ProxySpec proxy)
    {
        if (proxy.NextUpstream is not { } next) return;

        When(found, $"{field}.nextUpstream", next.Wanted.Count > 1 && next.Wanted.Contains(NextUpstreamCondition.Off), OffAlone);
        When(found, $"{field}.nextUpstream", next.On is not null && next.Conditions is not null, OnOrConditions);
    }

    private static void When(List<SpecViolation> found, string field, bool broken, string message)
    {
        if (broken) found.Add(new(field, message));
    }

    private static bool IsName(string? address) =>
        address is { Length: > 0 } and not ['.' or '-', ..] && HostCharacters.HoldsAll(address)
        && address.Any(static c => !char.IsAsciiDigit(c) && c != '.');
}

/// <summary>A rule over several fields that a spec breaks; the field is the object that the rule stands on.</summary>
public sealed record SpecViolation(string Field, string Message);
