using System.Text.Json;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Testing;

namespace StickyIngress.Control.Tests;

/// <summary>
/// nginx's recorded answers to good and bad configurations. Each row says what a snippet is in our resource; where nginx refuses it, reader
/// or compiler must, and where nginx takes it, both must. The groups at the end have no counterpart, each for the reason that it gives.
/// </summary>
public sealed class NginxErrorsTests
{
    private const string S = "server 127.0.0.1:1";

    /// <summary>Accepted by nginx, refused here, and why.</summary>
    internal static readonly Dictionary<string, string> Stricter = new()
    {
        [S + " weight=1000000;"] = "weights end at 65535",
        [S + " weight=9223372036854775807;"] = "weights end at 65535",
        [S + " route=a route=b;"] = "a field stands once in YAML",
        [S + " weight=1 weight=2;"] = "a field stands once in YAML",
        ["server 127.0.0.1:1; server 127.0.0.1:1 backup; hash $arg_k;"] = "there is no order of lines that would hide the backup from the method",
        ["server 127.0.0.1:1; server 127.0.0.1:1 backup; ip_hash;"] = "there is no order of lines that would hide the backup from the method",
    };

    /// <summary>Refused by the recorded build, which lacks the commercial directives, and supported here.</summary>
    internal static readonly HashSet<string> Commercial =
    [
        S + " slow_start=30s;", "least_time header; " + S + ";", "random two least_time=header; " + S + ";", "sticky cookie a partitioned; " + S + ";",
        "resolver 127.0.0.1 status_zone=z; " + S + ";", "sticky learn create=$arg_a lookup=$arg_a zone=z:64k sync; " + S + ";",
    ];

    public static TheoryData<string, string> Counterparts => new()
    {
        { "", "servers: []" },
        { "least_conn;", "servers: []\n  balancing: { method: LeastConn }" },
        { S + ";", Server("") },
        { S + " weight=0;", Server("weight: 0") },
        { S + " weight=1;", Server("weight: 1") },
        { S + " weight=-1;", Server("weight: -1") },
        { S + " weight=;", Server("weight: \"\"") },
        { S + " weight=a;", Server("weight: a") },
        { S + " weight=1.5;", Server("weight: 1.5") },
        { S + " weight=65535;", Server("weight: 65535") },
        { S + " weight=1000000;", Server("weight: 1000000") },
        { S + " weight=9223372036854775807;", Server("weight: 9223372036854775807") },
        { S + " weight=9223372036854775808;", Server("weight: 9223372036854775808") },
        { S + " max_conns=0;", Server("maxConns: 0") },
        { S + " max_conns=1;", Server("maxConns: 1") },
        { S + " max_conns=-1;", Server("maxConns: -1") },
        { S + " max_conns=;", Server("maxConns: \"\"") },
        { S + " max_conns=x;", Server("maxConns: x") },
        { S + " max_fails=0;", Server("maxFails: 0") },
        { S + " max_fails=1;", Server("maxFails: 1") },
        { S + " max_fails=-1;", Server("maxFails: -1") },
        { S + " max_fails=;", Server("maxFails: \"\"") },
        { S + " max_fails=x;", Server("maxFails: x") },
        { S + " fail_timeout=0;", Server("failTimeout: \"0\"") },
        { S + " fail_timeout=10;", Server("failTimeout: \"10\"") },
        { S + " fail_timeout=10s;", Server("failTimeout: 10s") },
        { S + " fail_timeout=1m30s;", Server("failTimeout: 1m30s") },
        { S + " fail_timeout=1500ms;", Server("failTimeout: 1500ms") },
        { S + " fail_timeout=-1;", Server("failTimeout: \"-1\"") },
        { S + " fail_timeout=;", Server("failTimeout: \"\"") },
        { S + " fail_timeout=x;", Server("failTimeout: x") },
        { S + " fail_timeout=1y;", Server("failTimeout: 1y") },
        { S + " backup;", Server("backup: true") },
        { S + "; " + S + " backup;", Two("backup: true") },
        { S + " down;", Server("down: true") },
        { S + " drain;", Server("drain: true") },
        { S + " down drain;", Server("down: true, drain: true") },
        { S + " backup=1;", Server("backup: 1") },
        { S + " Down;", Server("Down: true") },
        { S + " bogus;", Server("bogus: true") },
        { S + " slow_start=30s;", Server("slowStart: 30s") },
        { S + " route=;", Server("route: \"\"") },
        { S + " route=a;", Server("route: a") },
        { S + " route=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;", Server("route: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") },
        { S + " route=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;", Server("route: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") },
        { S + " route=a route=b;", Server("route: a, route: b") },
        { S + " weight=1 weight=2;", Server("weight: 1, weight: 2") },
        { "server no-such-host.invalid;", At("never.test") },
        { "server 127.0.0.1:0;", At("127.0.0.1:0") },
        { "server 127.0.0.1:65536;", At("127.0.0.1:65536") },
        { "server 127.0.0.1:http;", At("127.0.0.1:http") },
        { "server 127.0.0.1:;", At("127.0.0.1:") },
        { "server :80;", At(":80") },
        { "server unix:;", At("unix:") },
        { "server unix:/tmp/a:/x;", At("unix:/tmp/a:/x") },
        { "server http://127.0.0.1;", At("http://127.0.0.1") },
        { "server 127.0.0.1/path;", At("127.0.0.1/path") },
        { "server [::1;", At("[::1") },
        { "server [::g]:80;", At("[::g]:80") },
        { "server ;", At("") },
        { "server;", "servers: [{ name: a }]" },
        { "hash; " + S + ";", Server("") + "\n  balancing: { method: Hash }" },
        { "hash $arg_k; " + S + ";", Server("") + "\n  balancing: { method: Hash, hash: { key: $arg_k } }" },
        { "hash $arg_k consistent; " + S + ";", Server("") + "\n  balancing: { method: Hash, hash: { key: $arg_k, consistent: true } }" },
        { "hash $arg_k inconsistent; " + S + ";", Server("") + "\n  balancing: { method: Hash, hash: { key: $arg_k, inconsistent: true } }" },
        { "hash '' ; " + S + ";", Server("") + "\n  balancing: { method: Hash, hash: { key: \"\" } }" },
        { "hash $nosuchvar; " + S + ";", Server("") + "\n  balancing: { method: Hash, hash: { key: $nosuchvar } }" },
        { "hash $arg_k; " + S + "; " + S + " backup;", Two("backup: true") + "\n  balancing: { method: Hash, hash: { key: $arg_k } }" },
        { S + "; " + S + " backup; hash $arg_k;", Two("backup: true") + "\n  balancing: { method: Hash, hash: { key: $arg_k } }" },
        { "ip_hash; " + S + "; " + S + " backup;", Two("backup: true") + "\n  balancing: { method: IPHash }" },
        { S + "; " + S + " backup; ip_hash;", Two("backup: true") + "\n  balancing: { method: IPHash }" },
        { "random; " + S + "; " + S + " backup;", Two("backup: true") + "\n  balancing: { method: Random }" },
        { "least_conn; " + S + "; " + S + " backup;", Two("backup: true") + "\n  balancing: { method: LeastConn }" },
        { "hash $arg_k; " + S + " down;", Server("down: true") + "\n  balancing: { method: Hash, hash: { key: $arg_k } }" },
        { "ip_hash; " + S + " weight=2 max_fails=1 fail_timeout=1 max_conns=1 down;",
            Server("weight: 2, maxFails: 1, failTimeout: \"1\", maxConns: 1, down: true") + "\n  balancing: { method: IPHash }" },
        { "random two; " + S + ";", Server("") + "\n  balancing: { method: Random, random: { two: true } }" },
        { "random three; " + S + ";", Server("") + "\n  balancing: { method: Random, random: { three: true } }" },
        { "random two least_conn; " + S + ";", Server("") + "\n  balancing: { method: Random, random: { two: true, method: LeastConn } }" },
        { "random two least_time=header; " + S + ";", Server("") + "\n  balancing: { method: Random, random: { two: true, method: LeastTimeHeader } }" },
        { "random two bogus; " + S + ";", Server("") + "\n  balancing: { method: Random, random: { two: true, method: bogus } }" },
        { "least_time header; " + S + ";", Server("") + "\n  balancing: { method: LeastTime, leastTime: { measure: Header } }" },
        { "keepalive -1; " + S + ";", Server("") + "\n  keepalive: { connections: -1 }" },
        { "keepalive a; " + S + ";", Server("") + "\n  keepalive: { connections: a }" },
        { "keepalive 1k; " + S + ";", Server("") + "\n  keepalive: { connections: 1k }" },
        { "keepalive_requests a; " + S + ";", Server("") + "\n  keepalive: { requests: a }" },
        { "keepalive_requests -1; " + S + ";", Server("") + "\n  keepalive: { requests: -1 }" },
        { "keepalive_timeout 0; " + S + ";", Server("") + "\n  keepalive: { timeout: \"0\" }" },
        { "keepalive_timeout 60s; " + S + ";", Server("") + "\n  keepalive: { timeout: 60s }" },
        { "keepalive_timeout 1y; " + S + ";", Server("") + "\n  keepalive: { timeout: 1y }" },
        { "keepalive_timeout a; " + S + ";", Server("") + "\n  keepalive: { timeout: a }" },
        { "keepalive_timeout 100ms; " + S + ";", Server("") + "\n  keepalive: { timeout: 100ms }" },
        { "keepalive_time 1h; " + S + ";", Server("") + "\n  keepalive: { time: 1h }" },
        { "keepalive_time x; " + S + ";", Server("") + "\n  keepalive: { time: x }" },
        { "resolver 127.0.0.1 valid=x; " + S + ";", Server("") + "\n  resolver: { addresses: [127.0.0.1], valid: x }" },
        { "resolver 127.0.0.1 ipv6=maybe; " + S + ";", Server("") + "\n  resolver: { addresses: [127.0.0.1], ipv6: maybe }" },
        { "resolver 127.0.0.1 ipv4=off ipv6=off; " + S + ";", Server("") + "\n  resolver: { addresses: [127.0.0.1], ipv4: false, ipv6: false }" },
        { "resolver valid=30s; " + S + ";", Server("") + "\n  resolver: { valid: 30s }" },
        { "server 127.0.0.1:1 resolve;", Server("resolve: true") },
        { "zone z 64k; server 127.0.0.1:1 resolve;", Server("resolve: true") },
        { "zone z 64k; resolver 127.0.0.1; server localhost4 resolve;", Follows("address: localhost4, resolve: true") },
        { "zone z 64k; resolver 127.0.0.1; server localhost4 service=http resolve;", Follows("address: localhost4, srv: http, resolve: true") },
        { "zone z 64k; resolver 127.0.0.1; server localhost4 service=http;", Follows("address: localhost4, srv: http") },
        { "zone z 64k; resolver 127.0.0.1; server localhost4:80 service=http resolve;", Follows("address: \"localhost4:80\", srv: http, resolve: true") },
        { "zone z 64k; resolver 127.0.0.1; server 127.0.0.1 service=http resolve;", Follows("address: 127.0.0.1, srv: http, resolve: true") },
        { "zone z 64k; resolver 127.0.0.1; server localhost4 service= resolve;", Follows("address: localhost4, srv: \"\", resolve: true") },
        { "zone z 64k; resolver 127.0.0.1; server unix:/tmp/x resolve;", Follows("address: \"unix:/tmp/x\", resolve: true") },
        { "resolver 127.0.0.1; " + S + ";", Server("") + "\n  resolver: { addresses: [127.0.0.1] }" },
        { "resolver 127.0.0.1:5353 valid=30s; " + S + ";", Server("") + "\n  resolver: { addresses: [\"127.0.0.1:5353\"], valid: 30s }" },
        { "resolver 127.0.0.1 ipv6=off; " + S + ";", Server("") + "\n  resolver: { addresses: [127.0.0.1], ipv6: false }" },
        { "resolver [::1]:53; " + S + ";", Server("") + "\n  resolver: { addresses: [\"[::1]:53\"] }" },
        { "resolver no-such.invalid; " + S + ";", Server("") + "\n  resolver: { addresses: [never.test] }" },
        { "resolver 127.0.0.1 status_zone=z; " + S + ";", Server("") + "\n  resolver: { addresses: [127.0.0.1], statusZone: z }" },
        { "resolver 127.0.0.1 bogus=1; " + S + ";", Server("") + "\n  resolver: { addresses: [127.0.0.1], bogus: 1 }" },
        { "resolver; " + S + ";", Server("") + "\n  resolver: { addresses: [] }" },
        { "resolver_timeout 5s; " + S + ";", Server("") + "\n  resolver: { addresses: [127.0.0.1], timeout: 5s }" },
        { "resolver_timeout 0; " + S + ";", Server("") + "\n  resolver: { addresses: [127.0.0.1], timeout: \"0\" }" },
        { "resolver_timeout x; " + S + ";", Server("") + "\n  resolver: { addresses: [127.0.0.1], timeout: x }" },
        { "sticky cookie; " + S + ";", Sticky("cookie: {}") },
        { "sticky bogus x; " + S + ";", Sticky("bogus: {}") },
        { "sticky cookie ''; " + S + ";", Sticky("cookie: { name: \"\" }") },
        { "sticky cookie a; sticky route $arg_r; " + S + ";", Sticky("cookie: { name: a }, route: { from: [$arg_r] }") },
        { "sticky cookie a expires=; " + S + ";", Sticky("cookie: { name: a, expires: \"\" }") },
        { "sticky cookie a expires=x; " + S + ";", Sticky("cookie: { name: a, expires: x }") },
        { "sticky cookie a expires=-1; " + S + ";", Sticky("cookie: { name: a, expires: \"-1\" }") },
        { "sticky cookie a expires=1ms; " + S + ";", Sticky("cookie: { name: a, expires: 1ms }") },
        { "sticky cookie a expires=max; " + S + ";", Sticky("cookie: { name: a, expires: max }") },
        { "sticky cookie a domain=; " + S + ";", Sticky("cookie: { name: a, domain: \"\" }") },
        { "sticky cookie a domain=$nosuch; " + S + ";", Sticky("cookie: { name: a, domain: $nosuch }") },
        { "sticky cookie a path=; " + S + ";", Sticky("cookie: { name: a, path: \"\" }") },
        { "sticky cookie a httponly=1; " + S + ";", Sticky("cookie: { name: a, httpOnly: 1 }") },
        { "sticky cookie a samesite=; " + S + ";", Sticky("cookie: { name: a, sameSite: \"\" }") },
        { "sticky cookie a samesite=bogus; " + S + ";", Sticky("cookie: { name: a, sameSite: bogus }") },
        { "sticky cookie a samesite=$nosuch; " + S + ";", Sticky("cookie: { name: a, sameSite: $nosuch }") },
        { "sticky cookie a bogus; " + S + ";", Sticky("cookie: { name: a, bogus: true }") },
        { "sticky cookie a HttpOnly; " + S + ";", Sticky("cookie: { name: a, HttpOnly: true }") },
        { "sticky cookie a partitioned; " + S + ";", Sticky("cookie: { name: a, partitioned: true }") },
        { "sticky route; " + S + ";", Sticky("route: {}") },
        { "sticky route x; " + S + ";", Sticky("route: { from: [x] }") },
        { "sticky route $; " + S + ";", Sticky("route: { from: [$] }") },
        { "sticky route $arg_a $cookie_b; " + S + ";", Sticky("route: { from: [$arg_a, $cookie_b] }") },
        { "sticky route $arg_a b; " + S + ";", Sticky("route: { from: [$arg_a, b] }") },
        { "sticky route $nosuch; " + S + ";", Sticky("route: { from: [$nosuch] }") },
        { "sticky learn; " + S + ";", Sticky("learn: {}") },
        { "sticky learn create=$arg_a lookup=$arg_a; " + S + ";", Learn("create: [$arg_a], lookup: [$arg_a]") },
        { "sticky learn create=$arg_a lookup=$arg_a zone=z:64k; " + S + ";", Learn("create: [$arg_a], lookup: [$arg_a], zone: { name: z, size: 64k }") },
        { "sticky learn lookup=$arg_a zone=z:64k; " + S + ";", Learn("lookup: [$arg_a], zone: { name: z, size: 64k }") },
        { "sticky learn create=$arg_a zone=z:64k; " + S + ";", Learn("create: [$arg_a], zone: { name: z, size: 64k }") },
        { "sticky learn create=a lookup=$arg_a zone=z:64k; " + S + ";", Learn("create: [a], lookup: [$arg_a], zone: { name: z, size: 64k }") },
        { "sticky learn create=$arg_a lookup=a zone=z:64k; " + S + ";", Learn("create: [$arg_a], lookup: [a], zone: { name: z, size: 64k }") },
        { "sticky learn create= lookup=$arg_a zone=z:64k; " + S + ";", Learn("create: [\"\"], lookup: [$arg_a], zone: { name: z, size: 64k }") },
        { "sticky learn create=$nosuch lookup=$arg_a zone=z:64k; " + S + ";", Learn("create: [$nosuch], lookup: [$arg_a], zone: { name: z, size: 64k }") },
        { "sticky learn create=$arg_a lookup=$arg_a zone=z; " + S + ";", Learn("create: [$arg_a], lookup: [$arg_a], zone: { name: z }") },
        { "sticky learn create=$arg_a lookup=$arg_a zone=:64k; " + S + ";", Learn("create: [$arg_a], lookup: [$arg_a], zone: { name: \"\", size: 64k }") },
        { "sticky learn create=$arg_a lookup=$arg_a zone=z:; " + S + ";", Learn("create: [$arg_a], lookup: [$arg_a], zone: { name: z, size: \"\" }") },
        { "sticky learn create=$arg_a lookup=$arg_a zone=z:x; " + S + ";", Learn("create: [$arg_a], lookup: [$arg_a], zone: { name: z, size: x }") },
        { "sticky learn create=$arg_a lookup=$arg_a zone=z:31k; " + S + ";", Learn("create: [$arg_a], lookup: [$arg_a], zone: { name: z, size: 31k }") },
        { "sticky learn create=$arg_a lookup=$arg_a zone=z:32k; " + S + ";", Learn("create: [$arg_a], lookup: [$arg_a], zone: { name: z, size: 32k }") },
        { "sticky learn create=$arg_a lookup=$arg_a zone=z:0; " + S + ";", Learn("create: [$arg_a], lookup: [$arg_a], zone: { name: z, size: \"0\" }") },
        { "sticky learn create=$arg_a lookup=$arg_a zone=z:64k timeout=0; " + S + ";", Timeout("\"0\"") },
        { "sticky learn create=$arg_a lookup=$arg_a zone=z:64k timeout=x; " + S + ";", Timeout("x") },
        { "sticky learn create=$arg_a lookup=$arg_a zone=z:64k timeout=; " + S + ";", Timeout("\"\"") },
        { "sticky learn create=$arg_a lookup=$arg_a zone=z:64k timeout=100ms; " + S + ";", Timeout("100ms") },
        { "sticky learn create=$arg_a lookup=$arg_a zone=z:64k header; " + S + ";",
            Learn("create: [$arg_a], lookup: [$arg_a], zone: { name: z, size: 64k }, header: true") },
        { "sticky learn create=$arg_a lookup=$arg_a zone=z:64k sync; " + S + ";",
            Learn("create: [$arg_a], lookup: [$arg_a], zone: { name: z, size: 64k }, sync: true") },
        { "sticky learn create=$arg_a lookup=$arg_a zone=z:64k bogus; " + S + ";",
            Learn("create: [$arg_a], lookup: [$arg_a], zone: { name: z, size: 64k }, bogus: true") },
        { "sticky learn create=$arg_a create=$arg_b lookup=$arg_a lookup=$cookie_b zone=z:64k; " + S + ";",
            Learn("create: [$arg_a, $arg_b], lookup: [$arg_a, $cookie_b], zone: { name: z, size: 64k }") },
        { "proxy_next_upstream error timeout;", Next("on: [Error, Timeout]") },
        { "proxy_next_upstream off;", Next("on: [\"Off\"]") },
        { "proxy_next_upstream ;", Next("on: []") },
        { "proxy_next_upstream bogus;", Next("on: [bogus]") },
        { "proxy_next_upstream http_429 http_404 http_403;", Next("on: [HTTP429, HTTP404, HTTP403]") },
        { "proxy_next_upstream http_400;", Next("on: [HTTP400]") },
        { "proxy_next_upstream non_idempotent;", Next("on: [NonIdempotent]") },
        { "proxy_next_upstream invalid_header;", Next("on: [InvalidHeader]") },
        { "proxy_next_upstream denied;", Next("on: [denied]") },
        { "proxy_next_upstream http_504 http_503 http_502 http_500;", Next("on: [HTTP504, HTTP503, HTTP502, HTTP500]") },
        { "proxy_next_upstream_tries 0;", Next("tries: 0") },
        { "proxy_next_upstream_tries 3;", Next("tries: 3") },
        { "proxy_next_upstream_tries -1;", Next("tries: -1") },
        { "proxy_next_upstream_tries x;", Next("tries: x") },
        { "proxy_next_upstream_timeout 0;", Next("timeout: \"0\"") },
        { "proxy_next_upstream_timeout 10s;", Next("timeout: 10s") },
        { "proxy_next_upstream_timeout x;", Next("timeout: x") },
    };

    /// <summary>Why a snippet that contains the words has no counterpart.</summary>
    private static readonly (string Words, string Why)[] WithoutCounterpart =
    [
        ("zone z", "peers always share their state, so there is no zone to declare"),
        ("zone \"\"", "peers always share their state, so there is no zone to declare"),
        ("localhost4 resolve;", "peers always share their state, and the installation has a resolver"),
        ("resolver 127.0.0.1; resolver 127.0.0.1", "a field stands once in YAML"),
        ("keepalive", "a directive cannot stand twice in YAML, and fields have no order"),
        ("300.1.1.1", "a name like any other, see never.test"),
        ("hash a b c", "a field has no number of arguments"),
        ("ip_hash x", "a field has no number of arguments"),
        ("least_conn x", "a field has no number of arguments"),
        ("random two least_conn x", "a field has no number of arguments"),
        ("fail_timeout=1h 30m", "a field has no number of arguments"),
        ("ip_hash; least_conn", "there is one method"),
        ("least_conn; least_conn", "there is one method"),
        ("sticky cookie a; least_conn", "fields have no order"),
        ("sticky cookie a; hash", "fields have no order"),
        ("queue 10", "the nginx that was recorded does not know the directive; here it is a field, see the case health"),
        ("ntlm", "a field has no arguments and no order"),
        ("state /tmp", "peers come from manifests"),
        ("health_check", "the nginx that was recorded does not know the directive; here it is a field, see the case health"),
        ("sticky_cookie_insert", "an unknown field, as bogus is"),
        ("sticky; ", "a mode without a name is no field"),
        ("sticky cookie a; sticky cookie b", "a field stands once in YAML"),
        (" duplicate", "a field stands once in YAML"),
        ("expires=1h expires=2h", "a field stands once in YAML"),
        ("domain=a domain=b", "a field stands once in YAML"),
        ("path=/ path=/", "a field stands once in YAML"),
        ("httponly httponly", "a field stands once in YAML"),
        ("secure secure", "a field stands once in YAML"),
        ("samesite=lax samesite=lax", "a field stands once in YAML"),
        ("zone=z:64k zone=y:64k", "a field stands once in YAML"),
        ("timeout=1h timeout=1h", "a field stands once in YAML"),
        ("header header", "a field stands once in YAML"),
        ("upstream", "blocks are resources, see the cases conflicts and zones"),
        ("error off", "Off must stand alone here; nginx takes it as off"),
        ("error error", "only a warning"),
        ("updating", "there is no cache"),
        ("error; proxy", "a field stands once in YAML"),
    ];

    [Theory]
    [MemberData(nameof(Counterparts))]
    public void Answers_as_nginx_does(string nginx, string spec)
    {
        var (accepted, said) = Recorded()[nginx];
        if (Commercial.Contains(nginx)) accepted = true;
        if (Stricter.ContainsKey(nginx)) accepted = false;

        var found = new Compiling().Put($"apiVersion: stickyingress.io/v1alpha1\nkind: StickyUpstream\nmetadata: {{ name: u }}\nspec:\n  {spec}\n").Diagnostics;

        var errors = found.Where(diagnostic => diagnostic.Severity == Severity.Error).ToArray();
        Assert.True(accepted == (errors.Length == 0), $"nginx: {said}; here: {string.Join("; ", found)}");
        Assert.All(errors, error => Assert.NotEmpty(error.Field));
    }

    [Fact]
    public void Every_recorded_snippet_has_a_row_or_a_reason_why_not()
    {
        var rows = Counterparts.Select(row => row.Data.Item1).ToHashSet();

        var forgotten = Recorded().Keys.Where(nginx =>
            !rows.Contains(nginx) && !Array.Exists(WithoutCounterpart, none => nginx.Contains(none.Words, StringComparison.Ordinal)));

        Assert.Empty(forgotten);
    }

    internal static Dictionary<string, (bool Accepted, string Said)> Recorded()
    {
        var vectors = Vectors.Load("config_errors.json");
        return vectors.GetProperty("upstream").EnumerateArray().Select(entry => (Text: entry.GetProperty("upstream_body").GetString()!, Entry: entry))
            .Concat(vectors.GetProperty("http").EnumerateArray().Select(entry => (Text: entry.GetProperty("http_body").GetString()!, Entry: entry)))
            .DistinctBy(recorded => recorded.Text)
            .ToDictionary(recorded => recorded.Text, recorded => (recorded.Entry.GetProperty("ok").GetBoolean(), Said(recorded.Entry)));
    }

    private static string Said(JsonElement entry) => entry.TryGetProperty("messages", out var messages) ? messages.ToString() : "accepted";

    private static string Server(string more) => $"servers: [{{ name: a, address: \"127.0.0.1:1\"{(more.Length > 0 ? ", " + more : "")} }}]";

    private static string Two(string more) => $"servers: [{{ name: a, address: \"127.0.0.1:1\" }}, {{ name: b, address: \"127.0.0.1:1\", {more} }}]";

    private static string At(string address) => $"servers: [{{ name: a, address: \"{address}\" }}]";

    private static string Follows(string server) => $"servers: [{{ name: a, {server} }}]\n  resolver: {{ addresses: [127.0.0.1] }}";

    private static string Sticky(string mode) => $"{Server("")}\n  sticky: {{ {mode} }}";

    private static string Learn(string fields) => Sticky($"learn: {{ {fields} }}");

    private static string Timeout(string value) => Learn($"create: [$arg_a], lookup: [$arg_a], zone: {{ name: z, size: 64k }}, timeout: {value}");

    private static string Next(string fields) => $"{Server("")}\n  proxy: {{ nextUpstream: {{ {fields} }} }}";
}
