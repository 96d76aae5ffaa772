using System.Reflection;
using StickyIngress.Api.Schema;

namespace StickyIngress.Api.Tests;

/// <summary>One row for each rule over several fields: what it allows, what it refuses, where and with which words.</summary>
public sealed class SpecRulesTests
{
    private const string Server = "servers: [{ name: a, address: b }]\n";

    [Theory]
    [InlineData(SpecRules.OnePrimary, "spec", "servers: [{ name: a, address: b }, { name: c, address: d, backup: true }]", "servers: [{ name: a, address: b, backup: true }]")]
    [InlineData(SpecRules.NoBackup, "spec", "servers: [{ name: a, address: b }, { name: c, address: d, backup: true }]\nbalancing: { method: LeastConn }", "servers: [{ name: a, address: b }, { name: c, address: d, backup: true }]\nbalancing: { method: IPHash }")]
    [InlineData(SpecRules.NoSlowStart, "spec", "servers: [{ name: a, address: b, slowStart: 0 }]\nbalancing: { method: Random }", "servers: [{ name: a, address: b, slowStart: 30s }]\nbalancing: { method: Random }")]
    [InlineData(SpecRules.PathBegins, "spec.routes[0].paths[0]", Server + "routes: [{ paths: [{ path: '^a', pathType: Regex }] }]", Server + "routes: [{ paths: [{ path: a }] }]")]
    [InlineData(SpecRules.ServiceOrAddress, "spec.servers[0]", "servers: [{ name: a, service: { name: b } }]", "servers: [{ name: a, address: b, service: { name: b } }]")]
    [InlineData(SpecRules.RouteOrRouteFrom, "spec.servers[0]", "servers: [{ name: a, service: { name: b }, route: r }]", "servers: [{ name: a, service: { name: b }, route: r, routeFrom: PodName }]")]
    [InlineData(SpecRules.RouteFromService, "spec.servers[0]", "servers: [{ name: a, service: { name: b }, routeFrom: PodName }]", "servers: [{ name: a, address: b, routeFrom: PodName }]")]
    [InlineData(SpecRules.ResolveAddress, "spec.servers[0]", "servers: [{ name: a, address: b, resolve: true }]", "servers: [{ name: a, service: { name: b }, resolve: true }]")]
    [InlineData(SpecRules.SrvResolve, "spec.servers[0]", "servers: [{ name: a, address: b, resolve: true, srv: http }]", "servers: [{ name: a, address: b, srv: http }]")]
    [InlineData(SpecRules.SrvName, "spec.servers[0]", "servers: [{ name: a, address: b.c, resolve: true, srv: http }]", "servers: [{ name: a, address: 'b:80', resolve: true, srv: http }]")]
    [InlineData(SpecRules.SrvName, "spec.servers[0]", "servers: [{ name: a, address: 1a.2, resolve: true, srv: http }]", "servers: [{ name: a, address: 10.0.0.1, resolve: true, srv: http }]")]
    [InlineData(SpecRules.SomeAddressFamily, "spec.resolver", Server + "resolver: { addresses: [a], ipv4: false }", Server + "resolver: { addresses: [a], ipv4: false, ipv6: false }")]
    [InlineData(SpecRules.HashOnly, "spec.balancing", Server + "balancing: { method: Hash, hash: { key: k } }", Server + "balancing: { method: Hash }")]
    [InlineData(SpecRules.HashOnly, "spec.balancing", Server + "balancing: {}", Server + "balancing: { hash: { key: k } }")]
    [InlineData(SpecRules.LeastTimeOnly, "spec.balancing", Server + "balancing: { method: LeastTime, leastTime: {} }", Server + "balancing: { leastTime: {} }")]
    [InlineData(SpecRules.RandomOnly, "spec.balancing", Server + "balancing: { method: Random, random: {} }", Server + "balancing: { random: {} }")]
    [InlineData(SpecRules.OneStickyMode, "spec.sticky", Server + "sticky: { cookie: { name: a } }", Server + "sticky: {}")]
    [InlineData(SpecRules.OneStickyMode, "spec.sticky", Server + "sticky: { route: { from: [$a] } }", Server + "sticky: { cookie: { name: a }, route: { from: [$a] } }")]
    [InlineData(SpecRules.SameSiteNone, "spec.sticky.cookie", Server + "sticky: { cookie: { name: a, sameSite: None } }", Server + "sticky: { cookie: { name: a, sameSite: None, secure: Never } }")]
    [InlineData(SpecRules.PartitionedSecure, "spec.sticky.cookie", Server + "sticky: { cookie: { name: a, partitioned: true } }", Server + "sticky: { cookie: { name: a, partitioned: true, secure: Never } }")]
    [InlineData(SpecRules.SecurePrefix, "spec.sticky.cookie", Server + "sticky: { cookie: { name: __Secure-a } }", Server + "sticky: { cookie: { name: __Secure-a, secure: Never } }")]
    [InlineData(SpecRules.HostPrefix, "spec.sticky.cookie", Server + "sticky: { cookie: { name: __Host-a } }", Server + "sticky: { cookie: { name: __Host-a, secure: Never } }")]
    [InlineData(SpecRules.HostPrefix, "spec.sticky.cookie", Server + "sticky: { cookie: { name: __Hosts-a, path: /a } }", Server + "sticky: { cookie: { name: __host-a, path: /a } }")]
    [InlineData(SpecRules.HostPrefix, "spec.sticky.cookie", Server + "sticky: { cookie: { name: a, domain: b } }", Server + "sticky: { cookie: { name: __Host-a, domain: b } }")]
    [InlineData(SpecRules.NoNginxTimeouts, "spec.sticky.cookie", Server + "sticky: { cookie: { name: a, idleTimeout: 1h } }", Server + "sticky: { cookie: { name: a, value: NginxSid, idleTimeout: 1h } }")]
    [InlineData(SpecRules.ZoneOrMaxSessions, "spec.sticky.learn", Server + "sticky: { learn: { create: [$a], lookup: [$a], maxSessions: 9 } }", Server + "sticky: { learn: { create: [$a], lookup: [$a] } }")]
    [InlineData(SpecRules.ZoneSize, "spec.sticky.learn.zone", Server + "sticky: { learn: { create: [$a], lookup: [$a], zone: { name: z, size: 32k } } }", Server + "sticky: { learn: { create: [$a], lookup: [$a], zone: { name: z, size: 32767 } } }")]
    [InlineData(SpecRules.OffAlone, "spec.proxy.nextUpstream", Server + "proxy: { nextUpstream: { on: ['Off'] } }", Server + "proxy: { nextUpstream: { on: [Error, 'Off'] } }")]
    [InlineData(SpecRules.OffAlone, "spec.routes[0].proxy.nextUpstream", Server + "routes: [{ proxy: { nextUpstream: {} } }]", Server + "routes: [{ proxy: { nextUpstream: { on: ['Off', Error] } } }]")]
    [InlineData(SpecRules.OffAlone, "spec.proxy.nextUpstream", Server + "proxy: { nextUpstream: { conditions: ['Off'] } }", Server + "proxy: { nextUpstream: { conditions: [Error, 'Off'] } }")]
    [InlineData(SpecRules.OnOrConditions, "spec.proxy.nextUpstream", Server + "proxy: { nextUpstream: { conditions: [Error] } }", Server + "proxy: { nextUpstream: { conditions: [Error], on: [Error] } }")]
    [InlineData(SpecRules.PersistentMandatory, "spec.healthCheck", Server + "healthCheck: { persistent: true, mandatory: true }", Server + "healthCheck: { persistent: true }")]
    public void A_rule_holds_in_code_and_in_the_CRD(string message, string field, string accepted, string refused)
    {
        Assert.Empty(Examples.ReadSpec(accepted).Errors);

        var error = Assert.Single(Examples.ReadSpec(refused).Errors);
        Assert.Equal((ReadReasons.InvalidCombination, field, message), (error.Reason, error.Field, error.Message));
        Assert.Contains(message, CelMessages());
    }

    [Fact]
    public void Every_rule_of_the_CRD_has_a_row_here()
    {
        var rows = typeof(SpecRulesTests).GetMethod(nameof(A_rule_holds_in_code_and_in_the_CRD))!
            .GetCustomAttributes<InlineDataAttribute>()
            .Select(row => (string)row.Data[0]!);

        Assert.Empty(CelMessages().Except(rows));
    }

    [Theory]
    [InlineData("32767", false)]
    [InlineData("32768", true)]
    [InlineData("0032768", true)]
    [InlineData("99999", true)]
    [InlineData("100000", true)]
    [InlineData("31k", false)]
    [InlineData("32K", true)]
    [InlineData("0m", false)]
    [InlineData("1m", true)]
    [InlineData("1g", true)]
    public void The_pattern_for_the_smallest_zone_says_the_same_as_the_code(string size, bool accepted)
    {
        var rule = typeof(SessionZoneSpec).GetCustomAttribute<CelAttribute>()!.Rule;
        var pattern = rule.Split('\'')[1];

        var read = Examples.ReadSpec(Server + $"sticky: {{ learn: {{ create: [$a], lookup: [$a], zone: {{ name: z, size: '{size}' }} }} }}");

        Assert.Equal(accepted, read.Errors.Count == 0);
        Assert.Equal(accepted, System.Text.RegularExpressions.Regex.IsMatch(size, pattern, System.Text.RegularExpressions.RegexOptions.NonBacktracking));
    }

    private static IEnumerable<string> CelMessages() => typeof(StickyUpstreamSpec).Assembly.GetTypes()
        .SelectMany(t => t.GetCustomAttributes<CelAttribute>().Concat(t.GetProperties().SelectMany(p => p.GetCustomAttributes<CelAttribute>())))
        .Select(rule => rule.Message);
}
