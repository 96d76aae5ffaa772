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
    public static IEnumerable<SpecViolation> Check(StickyUpstreamSpec spec) =>
    [
        .. Group("spec", spec),
        .. spec.Routes.SelectMany((route, i) => Route($"spec.routes[{i}]", route)),
        .. spec.Servers.SelectMany((server, i) => Server($"spec.servers[{i}]", server)),
        .. When("spec.resolver", spec.Resolver is { Ipv4: false, Ipv6: false }, SomeAddressFamily),
        .. Balancing("spec.balancing", spec.Balancing),
        .. spec.Sticky is { } sticky ? Sticky("spec.sticky", sticky) : [],
        .. Proxy("spec.proxy", spec.Proxy),
        .. When("spec.healthCheck", spec.HealthCheck is { Persistent: true, Mandatory: false }, PersistentMandatory),
    ];

    private static IEnumerable<SpecViolation> Group(string field, StickyUpstreamSpec spec)
    {
        var hashes = spec.Balancing.Method is BalancingMethod.Hash or BalancingMethod.IPHash or BalancingMethod.Random;
        return
        [
            .. When(field, spec.Servers.All(s => s.Backup), OnePrimary),
            .. When(field, hashes && spec.Servers.Any(s => s.Backup), NoBackup),
            .. When(field, hashes && spec.Servers.Any(s => s.SlowStart > TimeSpan.Zero), NoSlowStart),
        ];
    }

    private static IEnumerable<SpecViolation> Route(string field, RouteSpec route) =>
    [
        .. route.Paths.SelectMany((path, i) =>
            When($"{field}.paths[{i}]", path.PathType != PathType.Regex && !path.Path.StartsWith('/'), PathBegins)),
        .. route.Proxy is { } proxy ? Proxy($"{field}.proxy", proxy) : [],
    ];

    private static IEnumerable<SpecViolation> Server(string field, ServerSpec server) =>
    [
        .. When(field, server.Service is null == server.Address is null, ServiceOrAddress),
        .. When(field, server.Route is not null && server.RouteFrom is not null, RouteOrRouteFrom),
        .. When(field, server.RouteFrom is not null && server.Service is null, RouteFromService),
        .. When(field, server.Resolve && server.Address is null, ResolveAddress),
        .. When(field, server.Srv is not null && !server.Resolve, SrvResolve),
        .. When(field, server.Srv is not null && !IsName(server.Address), SrvName),
    ];

    private static IEnumerable<SpecViolation> Balancing(string field, BalancingSpec balancing) =>
    [
        .. When(field, balancing.Method == BalancingMethod.Hash != balancing.Hash is not null, HashOnly),
        .. When(field, balancing.LeastTime is not null && balancing.Method != BalancingMethod.LeastTime, LeastTimeOnly),
        .. When(field, balancing.Random is not null && balancing.Method != BalancingMethod.Random, RandomOnly),
    ];

    private static IEnumerable<SpecViolation> Sticky(string field, StickySpec sticky)
    {
        var modes = (sticky.Cookie is null ? 0 : 1) + (sticky.Route is null ? 0 : 1) + (sticky.Learn is null ? 0 : 1);
        return
        [
            .. When(field, modes != 1, OneStickyMode),
            .. sticky.Cookie is { } cookie ? Cookie($"{field}.cookie", cookie) : [],
            .. sticky.Learn is { } learn ? Learn($"{field}.learn", learn) : [],
        ];
    }

    private static IEnumerable<SpecViolation> Cookie(string field, StickyCookieSpec cookie)
    {
        var open = cookie.Secure == CookieSecure.Never;
        var secureName = cookie.Name.StartsWith("__Secure-", StringComparison.OrdinalIgnoreCase);
        var hostName = cookie.Name.StartsWith("__Host-", StringComparison.OrdinalIgnoreCase);
        return
        [
            .. When(field, cookie.SameSite == "None" && open, SameSiteNone),
            .. When(field, cookie.Partitioned && open, PartitionedSecure),
            .. When(field, secureName && open, SecurePrefix),
            .. When(field, hostName && (open || cookie.Path != "/" || cookie.Domain is not null), HostPrefix),
            .. When(field, cookie.Value == CookieValue.NginxSid && (cookie.IdleTimeout ?? cookie.AbsoluteTimeout) is not null, NoNginxTimeouts),
        ];
    }

    private static IEnumerable<SpecViolation> Learn(string field, StickyLearnSpec learn) =>
    [
        .. When(field, learn.Zone is null == learn.MaxSessions is null, ZoneOrMaxSessions),
        .. When($"{field}.zone", learn.Zone is { Size: < SmallestZone }, ZoneSize),
    ];

    private static IEnumerable<SpecViolation> Proxy(string field, ProxySpec proxy) => proxy.NextUpstream is not { } next ? [] :
    [
        .. When($"{field}.nextUpstream", next.Wanted.Count > 1 && next.Wanted.Contains(NextUpstreamCondition.Off), OffAlone),
        .. When($"{field}.nextUpstream", next.On is not null && next.Conditions is not null, OnOrConditions),
    ];

    private static IEnumerable<SpecViolation> When(string field, bool broken, string message) =>
        broken ? [new SpecViolation(field, message)] : [];

    private static bool IsName(string? address) =>
        address is { Length: > 0 } and not ['.' or '-', ..] && HostCharacters.HoldsAll(address)
        && address.Any(static c => !char.IsAsciiDigit(c) && c != '.');
}

/// <summary>A rule over several fields that a spec breaks; the field is the object that the rule stands on.</summary>
public sealed record SpecViolation(string Field, string Message);
