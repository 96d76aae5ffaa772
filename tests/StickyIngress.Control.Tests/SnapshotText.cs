using System.Text;
using StickyIngress.Control.Compilation;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core.Routing;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Tests;

/// <summary>What a compile came to, as text that people can compare.</summary>
internal static class SnapshotText
{
    public static string Of(CompileResult result)
    {
        var text = new StringBuilder();
        text.Append("routes:\n");
        foreach (var line in result.Routes.Select(route => Route(result, route)).Order(StringComparer.Ordinal)) text.Append($"- {line}\n");
        if (!result.Snapshot.Certificates.IsEmpty)
        {
            text.Append($"certificates:\n- default: {result.Snapshot.Certificates.Default}\n");
            foreach (var (host, certificate) in result.Snapshot.Certificates.Hosts) text.Append($"- {host}: {certificate}\n");
        }

        text.Append("upstreams:\n");
        foreach (var upstream in result.Snapshot.Upstreams) Upstream(text, result, upstream);
        text.Append("diagnostics:\n");
        foreach (var found in result.Diagnostics)
            text.Append($"- {found.Severity} {found.Resource?.Kind} {found with { File = null }}\n");
        text.Append("programmed:\n");
        foreach (var status in result.Statuses.OrderBy(entry => entry.Key, ResourceOrder.Instance))
            text.Append($"- {status.Key}: {(status.Value.Programmed ? "yes" : "no")}\n");
        if (result.Ignored > 0) text.Append($"ignored: {result.Ignored}\n");
        return text.ToString();
    }

    private static string Route(CompileResult result, PlacedRoute placed)
    {
        var target = placed.Route.Upstream < 0 ? "nowhere" : result.Snapshot.Upstreams[placed.Route.Upstream].ToString();
        var host = placed.Host.OneLabel ? $"{placed.Host} (one label)" : placed.Host.ToString();
        var proxy = placed.Route.Upstream < 0 ? "" : $" [{Proxy(placed.Route.Proxy)}]";
        return $"{host} {placed.Path.Kind} {placed.Path} -> {target}{Https(placed.Route)} of {placed.Owner}{proxy}";
    }

    private static string Https(Route route)
    {
        if (route.Https is null) return "";
        return route.Https == HttpsHosts.All ? " by https" : $" by https for {route.Https}";
    }

    private static string Proxy(ProxySettings proxy)
    {
        var text = new StringBuilder($"host {proxy.Host} connect {proxy.ConnectTimeout.TotalSeconds}s send {proxy.SendTimeout.TotalSeconds}s");
        text.Append($" read {proxy.ReadTimeout.TotalSeconds}s body {proxy.MaxBodySize} buffer {proxy.RequestBuffer} next {proxy.NextUpstream.On}");
        text.Append($"/{proxy.NextUpstream.Tries}/{proxy.NextUpstream.Timeout.TotalSeconds}s");
        text.Append($" keepalive {proxy.Keepalive.Connections}/{proxy.Keepalive.Requests}/{proxy.Keepalive.Time.TotalSeconds}s/{proxy.Keepalive.Timeout.TotalSeconds}s");
        if (proxy.Keepalive.Ntlm) text.Append(" ntlm");
        if (proxy.Engine != PeerEngine.Auto) text.Append($" engine {proxy.Engine}");
        if (proxy.Protocol is { } protocol) text.Append($" protocol {protocol}");
        foreach (var header in proxy.SetHeaders) text.Append($" set {header.Name}={header.Value}");
        foreach (var header in proxy.ResponseHeaders) text.Append($" add {header.Name}={header.Value}{(header.Always ? " always" : "")}");
        foreach (var cookie in proxy.HiddenCookies) text.Append($" hide {cookie}");
        if (proxy.Tls != PeerTls.Default)
            text.Append($" tls name={proxy.Tls.ServerName} verify={proxy.Tls.Verify} ca={Kind(proxy.Tls.CaPem)} client={Kind(proxy.Tls.ClientCertificatePem)}");
        return text.ToString();
    }

    private static string Kind(string? pem) => pem switch
    {
        null => "none",
        "" => "nobody",
        _ => "pem",
    };

    private static void Upstream(StringBuilder text, CompileResult result, Upstream upstream)
    {
        var affinity = upstream.Affinity is { } known ? known.Mode.ToString() : "none";
        var fail = upstream.FailStatus is { } status ? $" fail {status}" : "";
        var queue = upstream.Queue is { } q ? $" queue {q.Size}/{q.Timeout.TotalSeconds}s" : "";
        text.Append($"  {upstream}: {upstream.Balancer.GetType().Name} affinity {affinity}{fail}{queue}{(upstream.Primaries.Single ? " single" : "")}\n");
        if (upstream.HealthCheck is { } check) text.Append($"    check {Check(check)}\n");
        foreach (var peer in upstream.Peers) text.Append($"  - {Peer(peer)}\n");
        Assert.Same(upstream, result.Snapshot.Find(upstream.Name));
    }

    private static string Check(HealthCheckSettings check)
    {
        var text = new StringBuilder($"{check.Path} port {check.Port} host {check.Host ?? "of the peer"} every {check.Interval.TotalSeconds}s");
        text.Append($" jitter {check.Jitter.TotalSeconds}s timeout {check.Timeout.TotalSeconds}s fails {check.Fails} passes {check.Passes}");
        if (check.Mandatory) text.Append(" mandatory");
        if (check.Persistent) text.Append(" persistent");
        text.Append($" status {(check.Match.Status.Negated ? "not " : "")}{string.Join(' ', check.Match.Status.Ranges.Select(range => $"{range.First}-{range.Last}"))}");
        foreach (var header in check.Match.Headers)
            text.Append($" header {(header.Negated ? "not " : "")}{header.Name}{(header.Value is null ? "" : $" is {header.Value}")}{(header.Pattern is null ? "" : $" like {header.Pattern}")}");
        if (check.Match.Body is { } body) text.Append($" body {(body.Negated ? "not " : "")}like {body.Pattern}");
        return text.ToString();
    }

    private static string Peer(Peer peer)
    {
        var text = new StringBuilder($"{peer.Name} id {peer.Id} sid {peer.Sid} label {peer.Label} {peer.Protocol} weight {peer.Weight}");
        if (peer.Server != peer.Name) text.Append($" server {peer.Server}");
        text.Append($" max {peer.MaxConns} fails {peer.MaxFails}/{peer.FailTimeoutSeconds}s");
        if (peer.SlowStartMilliseconds > 0) text.Append($" slow {peer.SlowStartMilliseconds}ms");
        if (peer.Backup) text.Append(" backup");
        if (peer.Down) text.Append(" down");
        if (peer.Draining) text.Append(" draining");
        return text.ToString();
    }
}
