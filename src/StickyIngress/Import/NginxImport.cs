using System.Collections.Immutable;
using StickyIngress.Api;

namespace StickyIngress.Import;

/// <summary>
/// From an nginx configuration to StickyUpstreams: each upstream block and each address in a proxy_pass becomes one, with the locations that
/// lead to it as its routes.
/// </summary>
internal sealed class NginxImport
{
    private static readonly string[] Defining = ["set", "geo", "split_clients", "auth_request_set", "perl_set", "js_set", "js_var", "lua_set"];

    private readonly ImportFindings _findings;
    private readonly Scope _http;
    private readonly ImportVariables _variables;
    private readonly UpstreamSet _upstreams;
    private readonly TlsImport _tls;
    private readonly Dictionary<string, NginxDirective> _matches = [];

    private NginxImport(ImportFindings findings, ImmutableArray<NginxDirective> http)
    {
        (_findings, _http) = (findings, new(http, outer: null));
        foreach (var match in _http.Own("match")) _matches[match.First] = match;

        _variables = new(findings, Maps(), Defined(http));
        _upstreams = new(findings, _variables, _http);
        _tls = new(findings);
    }

    /// <summary>The upstreams of the configuration; of no use where the findings hold an error.</summary>
    /// <param name="directives">A whole configuration, or what stands inside its http block.</param>
    public static IReadOnlyList<StickyUpstream> Read(ImmutableArray<NginxDirective> directives, string @namespace, ImportFindings findings)
    {
        var http = directives.SelectMany(directive => directive.Name == "http" ? directive.Inside : [directive]).ToImmutableArray();
        foreach (var again in directives.Where(directive => directive.Name == "http").Skip(1)) findings.Error(again, "\"http\" directive is duplicate");

        var import = new NginxImport(findings, http);
        import.Http();
        return import._upstreams.ToResources(@namespace);
    }

    private static bool IsInherited(string name) =>
        ProxyImport.Reads(name) || name is "resolver" or "resolver_timeout" or "ssl_certificate" or "ssl_certificate_key";

    private Dictionary<string, NginxDirective> Maps()
    {
        var maps = new Dictionary<string, NginxDirective>();
        foreach (var map in _http.Own("map"))
        {
            if (map.Block is null || map.Arguments.Length != 2) _findings.Error(map, "invalid number of arguments in \"map\" directive");
            else if (map.Arguments[1].Length < 2 || map.Arguments[1][0] != '$') _findings.Error(map, $"invalid variable name \"{map.Arguments[1]}\"");
            else maps[map.Arguments[1][1..].ToLowerInvariant()] = map;
        }

        return maps;
    }

    /// <summary>Names of variables that the configuration makes by other means than map, captures in patterns among them.</summary>
    private static HashSet<string> Defined(ImmutableArray<NginxDirective> directives)
    {
        var names = new HashSet<string>();
        foreach (var directive in directives)
        {
            if (Defining.Contains(directive.Name))
                names.UnionWith(directive.Arguments.Where(word => word.StartsWith('$')).Select(word => word[1..].ToLowerInvariant()));
            foreach (var word in directive.Arguments) names.UnionWith(NginxPattern.CaptureNames(word));
            names.UnionWith(Defined(directive.Inside));
        }

        return names;
    }

    private void Http()
    {
        Judge(_http);
        foreach (var resolver in _http.Own("resolver")) ResolverImport.Read(resolver, _findings);
        foreach (var upstream in _http.Own("upstream")) _upstreams.Add(upstream);
        _upstreams.FinishBlocks();

        var servers = _http.Own("server");
        foreach (var server in servers) Server(server, isFirst: server == servers[0]);
        _tls.Finish();
        foreach (var directive in _http.Directives.Where(directive => !IsInherited(directive.Name)))
        {
            if (directive.Name is not ("upstream" or "server" or "map" or "match")) _findings.NoCounterpart(Short(directive));
        }
    }

    private void Server(NginxDirective server, bool isFirst)
    {
        var scope = new Scope(server.Inside, _http);
        Judge(scope);
        var hosts = HostsImport.Read(server, scope, isFirst, _findings);
        var locations = new ServerLocations(server, hosts, Locations(server.Inside).Any(LocationImport.IsPattern));
        CheckPatternOrder(server);
        var redirect = TlsImport.FindRedirect(server);
        foreach (var directive in server.Inside.Where(directive => directive != redirect && !IsInherited(directive.Name)))
        {
            if (directive.Name == "location") Location(redirect is null ? directive : directive with { Block = directive.Block?.Remove(redirect) }, scope, locations);
            else if (directive.Name == "listen") Listen(directive);
            else if (directive.Name != "server_name") _findings.NoCounterpart(Short(directive));
        }

        if (redirect is not null) _tls.AddRedirect(redirect, hosts);
        _tls.AddCertificate(server, scope, locations);
    }

    private void Location(NginxDirective location, Scope outer, ServerLocations server)
    {
        var scope = new Scope(location.Inside, outer);
        Judge(scope);
        var path = LocationImport.Read(location, server.HavePatterns, _findings);
        UpstreamDraft? upstream = null;
        foreach (var pass in location.Inside.Where(directive => directive.Name is "proxy_pass" or "grpc_pass"))
        {
            upstream = ProxyTarget.Read(pass, _findings) is { } target && path is not null && KeepsPath(target, path) ? _upstreams.Find(target) : null;
            if (upstream is null) continue;

            var proxy = new ProxyImport(_findings, _variables, upstream.Variables, scope, ProxyTarget.Read(pass, _findings)).Read();
            upstream.Locations.Add(new(server.Block, server.Hosts, path!, proxy));
            server.Upstreams.Add(upstream);
        }

        foreach (var directive in location.Inside.Where(directive => !IsInherited(directive.Name)))
        {
            if (directive.Name == "location") Location(directive, scope, server);
            else if (directive.Name == "health_check") HealthCheck(directive, upstream);
            else if (directive.Name is not ("proxy_pass" or "grpc_pass")) _findings.NoCounterpart(Short(directive));
        }
    }

    private void HealthCheck(NginxDirective line, UpstreamDraft? upstream)
    {
        var check = new HealthImport(_findings, _matches).Read(line);
        if (upstream is null) _findings.NoCounterpart(line, "its location leads to no upstream");
        else if (upstream.Spec.HealthCheck is { } other && other != check) _findings.NoCounterpart(line, "an upstream has one health check");
        else upstream.Spec = upstream.Spec with { HealthCheck = check };
    }

    /// <summary>A path in proxy_pass takes the location's place in the request; where both are the same that changes nothing.</summary>
    private bool KeepsPath(ProxyTarget target, PathSpec location)
    {
        if (target.Path.Length == 0 || (target.Path == location.Path && location.PathType != PathType.Regex)) return true;

        _findings.NoCounterpart(target.Line, "the path of a request cannot be changed");
        return false;
    }

    /// <summary>nginx takes the first pattern that matches, in the order of the file; here the longest pattern goes first.</summary>
    private void CheckPatternOrder(NginxDirective server)
    {
        var patterns = Locations(server.Inside).Where(LocationImport.IsPattern).ToList();
        for (var i = 1; i < patterns.Count; i++)
        {
            if (patterns[i].Arguments[1].Length > patterns[i - 1].Arguments[1].Length)
                _findings.Warn(patterns[i], "a longer pattern goes before a shorter one here, wherever it stands");
        }
    }

    private void Listen(NginxDirective line)
    {
        var usual = line.First is "80" or "443" or "[::]:80" or "[::]:443" or "*:80" or "*:443";
        var rest = line.Arguments.Skip(1).Where(word => word is not ("ssl" or "http2" or "default_server" or "default")).ToList();
        if (!usual || rest.Count > 0) _findings.NoCounterpart(line, "ports are those of the installation: --http and --https");
    }

    /// <summary>Finds what nginx refuses even where no location uses it.</summary>
    private void Judge(Scope scope) => new ProxyImport(_findings, _variables, new(), scope, target: null).Read();

    /// <summary>A block is named without what is in it: one line tells that all of it is left out.</summary>
    private static NginxDirective Short(NginxDirective directive) =>
        directive.Block is null ? directive : directive with { Arguments = [.. directive.Arguments, "{...}"], Block = [] };

    private static IEnumerable<NginxDirective> Locations(ImmutableArray<NginxDirective> directives) =>
        directives.Where(directive => directive.Name == "location").SelectMany(location => Locations(location.Inside).Prepend(location));
}

/// <summary>What the locations of one server have in common, and the upstreams that they lead to.</summary>
internal sealed record ServerLocations(NginxDirective Block, IReadOnlyList<IReadOnlyList<string>> Hosts, bool HavePatterns)
{
    public List<UpstreamDraft> Upstreams { get; } = [];
}
