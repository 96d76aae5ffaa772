namespace StickyIngress.Api.Tests;

/// <summary>Specs that are refused, and like ones that are accepted, by our own reading and by an API server that has the CRD.</summary>
internal static class SpecCases
{
    public const string Server = "servers: [{ name: a, address: b }]\n";

    /// <summary>One row for each rule over several fields: its words, where it holds, what it allows and what it refuses.</summary>
    public static TheoryData<string, string, string, string> Rules { get; } = new()
    {
        { SpecRules.OnePrimary, "spec", "servers: [{ name: a, address: b }, { name: c, address: d, backup: true }]", "servers: [{ name: a, address: b, backup: true }]" },
        { SpecRules.NoBackup, "spec", "servers: [{ name: a, address: b }, { name: c, address: d, backup: true }]\nbalancing: { method: LeastConn }", "servers: [{ name: a, address: b }, { name: c, address: d, backup: true }]\nbalancing: { method: IPHash }" },
        { SpecRules.NoSlowStart, "spec", "servers: [{ name: a, address: b, slowStart: 0 }]\nbalancing: { method: Random }", "servers: [{ name: a, address: b, slowStart: 30s }]\nbalancing: { method: Random }" },
        { SpecRules.PathBegins, "spec.routes[0].paths[0]", Server + "routes: [{ paths: [{ path: '^a', pathType: Regex }] }]", Server + "routes: [{ paths: [{ path: a }] }]" },
        { SpecRules.ServiceOrAddress, "spec.servers[0]", "servers: [{ name: a, service: { name: b } }]", "servers: [{ name: a, address: b, service: { name: b } }]" },
        { SpecRules.RouteOrRouteFrom, "spec.servers[0]", "servers: [{ name: a, service: { name: b }, route: r }]", "servers: [{ name: a, service: { name: b }, route: r, routeFrom: PodName }]" },
        { SpecRules.RouteFromService, "spec.servers[0]", "servers: [{ name: a, service: { name: b }, routeFrom: PodName }]", "servers: [{ name: a, address: b, routeFrom: PodName }]" },
        { SpecRules.ResolveAddress, "spec.servers[0]", "servers: [{ name: a, address: b, resolve: true }]", "servers: [{ name: a, service: { name: b }, resolve: true }]" },
        { SpecRules.SrvResolve, "spec.servers[0]", "servers: [{ name: a, address: b, resolve: true, srv: http }]", "servers: [{ name: a, address: b, srv: http }]" },
        { SpecRules.SrvName, "spec.servers[0]", "servers: [{ name: a, address: b.c, resolve: true, srv: http }]", "servers: [{ name: a, address: 'b:80', resolve: true, srv: http }]" },
        { SpecRules.SrvName, "spec.servers[0]", "servers: [{ name: a, address: 1a.2, resolve: true, srv: http }]", "servers: [{ name: a, address: 10.0.0.1, resolve: true, srv: http }]" },
        { SpecRules.SomeAddressFamily, "spec.resolver", Server + "resolver: { addresses: [a], ipv4: false }", Server + "resolver: { addresses: [a], ipv4: false, ipv6: false }" },
        { SpecRules.HashOnly, "spec.balancing", Server + "balancing: { method: Hash, hash: { key: k } }", Server + "balancing: { method: Hash }" },
        { SpecRules.HashOnly, "spec.balancing", Server + "balancing: {}", Server + "balancing: { hash: { key: k } }" },
        { SpecRules.LeastTimeOnly, "spec.balancing", Server + "balancing: { method: LeastTime, leastTime: {} }", Server + "balancing: { leastTime: {} }" },
        { SpecRules.RandomOnly, "spec.balancing", Server + "balancing: { method: Random, random: {} }", Server + "balancing: { random: {} }" },
        { SpecRules.OneStickyMode, "spec.sticky", Server + "sticky: { cookie: { name: a } }", Server + "sticky: {}" },
        { SpecRules.OneStickyMode, "spec.sticky", Server + "sticky: { route: { from: [$a] } }", Server + "sticky: { cookie: { name: a }, route: { from: [$a] } }" },
        { SpecRules.SameSiteNone, "spec.sticky.cookie", Server + "sticky: { cookie: { name: a, sameSite: None } }", Server + "sticky: { cookie: { name: a, sameSite: None, secure: Never } }" },
        { SpecRules.PartitionedSecure, "spec.sticky.cookie", Server + "sticky: { cookie: { name: a, partitioned: true } }", Server + "sticky: { cookie: { name: a, partitioned: true, secure: Never } }" },
        { SpecRules.SecurePrefix, "spec.sticky.cookie", Server + "sticky: { cookie: { name: __Secure-a } }", Server + "sticky: { cookie: { name: __Secure-a, secure: Never } }" },
        { SpecRules.HostPrefix, "spec.sticky.cookie", Server + "sticky: { cookie: { name: __Host-a } }", Server + "sticky: { cookie: { name: __Host-a, secure: Never } }" },
        { SpecRules.HostPrefix, "spec.sticky.cookie", Server + "sticky: { cookie: { name: __Hosts-a, path: /a } }", Server + "sticky: { cookie: { name: __host-a, path: /a } }" },
        { SpecRules.HostPrefix, "spec.sticky.cookie", Server + "sticky: { cookie: { name: a, domain: b } }", Server + "sticky: { cookie: { name: __Host-a, domain: b } }" },
        { SpecRules.NoNginxTimeouts, "spec.sticky.cookie", Server + "sticky: { cookie: { name: a, idleTimeout: 1h } }", Server + "sticky: { cookie: { name: a, value: NginxSid, idleTimeout: 1h } }" },
        { SpecRules.ZoneOrMaxSessions, "spec.sticky.learn", Server + "sticky: { learn: { create: [$a], lookup: [$a], maxSessions: 9 } }", Server + "sticky: { learn: { create: [$a], lookup: [$a] } }" },
        { SpecRules.ZoneSize, "spec.sticky.learn.zone", Server + "sticky: { learn: { create: [$a], lookup: [$a], zone: { name: z, size: 32k } } }", Server + "sticky: { learn: { create: [$a], lookup: [$a], zone: { name: z, size: 32767 } } }" },
        { SpecRules.OffAlone, "spec.proxy.nextUpstream", Server + "proxy: { nextUpstream: { 'on': ['Off'] } }", Server + "proxy: { nextUpstream: { 'on': [Error, 'Off'] } }" },
        { SpecRules.OffAlone, "spec.routes[0].proxy.nextUpstream", Server + "routes: [{ proxy: { nextUpstream: {} } }]", Server + "routes: [{ proxy: { nextUpstream: { 'on': ['Off', Error] } } }]" },
        { SpecRules.OffAlone, "spec.proxy.nextUpstream", Server + "proxy: { nextUpstream: { conditions: ['Off'] } }", Server + "proxy: { nextUpstream: { conditions: [Error, 'Off'] } }" },
        { SpecRules.OnOrConditions, "spec.proxy.nextUpstream", Server + "proxy: { nextUpstream: { conditions: [Error] } }", Server + "proxy: { nextUpstream: { conditions: [Error], 'on': [Error] } }" },
        { SpecRules.PersistentMandatory, "spec.healthCheck", Server + "healthCheck: { persistent: true, mandatory: true }", Server + "healthCheck: { persistent: true }" },
    };

    /// <summary>One row for each kind of rule about one field: where it holds, what it allows and what it refuses.</summary>
    public static TheoryData<string, string, string> Fields { get; } = new()
    {
        { "spec.serverz", Server, Server + "serverz: 1" },
        { "spec.servers[0].wait", Server, "servers: [{ name: a, address: b, wait: 1 }]" },
        { "spec.servers", Server, "ingressClassName: sticky" },
        { "spec.servers", Server, "servers: []" },
        { "spec.servers", Server, "servers: a" },
        { "spec.servers[0].name", Server, "servers: [{ address: b }]" },
        { "spec.servers[1]", "servers: [{ name: a, address: b }, { name: c, address: b }]", "servers: [{ name: a, address: b }, { name: a, address: c }]" },
        { "spec.servers[0].weight", "servers: [{ name: a, address: b, weight: 65535 }]", "servers: [{ name: a, address: b, weight: 65536 }]" },
        { "spec.servers[0].weight", "servers: [{ name: a, address: b, weight: 1 }]", "servers: [{ name: a, address: b, weight: 0 }]" },
        { "spec.servers[0].weight", Server, "servers: [{ name: a, address: b, weight: heavy }]" },
        { "spec.servers[0].weight", Server, "servers: [{ name: a, address: b, weight: 1.5 }]" },
        { "spec.servers[0].backup", Server, "servers: [{ name: a, address: b, backup: 'true' }]" },
        { "spec.servers[0].failTimeout", "servers: [{ name: a, address: b, failTimeout: 1h30m }]", "servers: [{ name: a, address: b, failTimeout: 1x }]" },
        { "spec.servers[0].failTimeout", "servers: [{ name: a, address: b, failTimeout: 10 }]", "servers: [{ name: a, address: b, failTimeout: -1 }]" },
        { "spec.servers[0].routeFrom", "servers: [{ name: a, service: { name: b }, routeFrom: Address }]", "servers: [{ name: a, service: { name: b }, routeFrom: address }]" },
        { "spec.servers[0].service.name", "servers: [{ name: a, service: { name: b } }]", "servers: [{ name: a, service: {} }]" },
        { "spec.servers[0].service.port", "servers: [{ name: a, service: { name: b, port: 80 } }]", "servers: [{ name: a, service: { name: b, port: true } }]" },
        { "spec.balancing.method", Server + "balancing: { method: LeastConn }", Server + "balancing: { method: Fastest }" },
        { "spec.sticky.cookie.name", Server + "sticky: { cookie: { name: a } }", Server + "sticky: { cookie: {} }" },
        { "spec.sticky.cookie.name", Server + "sticky: { cookie: { name: a } }", Server + "sticky: { cookie: { name: 'a b' } }" },
        { "spec.sticky.cookie.expires", Server + "sticky: { cookie: { name: a, expires: max } }", Server + "sticky: { cookie: { name: a, expires: never } }" },
        { "spec.sticky.learn.create", Server + "sticky: { learn: { create: [$a], lookup: [$a], maxSessions: 9 } }", Server + "sticky: { learn: { lookup: [$a], maxSessions: 9 } }" },
        { "spec.sticky.failStatus", Server + "sticky: { cookie: { name: a }, failStatus: 599 }", Server + "sticky: { cookie: { name: a }, failStatus: 200 }" },
        { "spec.proxy.maxBodySize", Server + "proxy: { maxBodySize: 0 }", Server + "proxy: { maxBodySize: 1t }" },
        { "spec.proxy.protocol", Server + "proxy: { protocol: H2C }", Server + "proxy: { protocol: H3 }" },
        { "spec.proxy.nextUpstream.on[0]", Server + "proxy: { nextUpstream: { 'on': [HTTP500] } }", Server + "proxy: { nextUpstream: { 'on': [HTTP501] } }" },
        { "spec.tls[0].secretName", Server + "tls: [{ secretName: a }]", Server + "tls: [{ hosts: [a.test] }]" },
        { "spec.routes[0].paths[0].pathType", Server + "routes: [{ paths: [{ path: /, pathType: Exact }] }]", Server + "routes: [{ paths: [{ path: /, pathType: Glob }] }]" },
        { "spec.queue.size", Server + "queue: { size: 1 }", Server + "queue: { size: 1000001 }" },
    };
}
