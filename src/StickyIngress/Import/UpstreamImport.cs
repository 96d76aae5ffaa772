using StickyIngress.Api;
using StickyIngress.Api.Schema;

namespace StickyIngress.Import;

/// <summary>An <c>upstream</c> block, directive by directive in its order, which decides in nginx too.</summary>
internal sealed class UpstreamImport(ImportFindings findings, ImportVariables variables, Scope http, UpstreamDraft draft)
{
    private const int MostConnections = 65535;
    private const int LongestQueue = 1_000_000;

    private readonly List<(ServerSpec Spec, NginxDirective Line)> _servers = [];
    private readonly ResourceNames _serverNames = new();
    private readonly HashSet<string> _seen = [];
    private bool _methodNamed;
    private bool _zone;
    private bool _state;
    private KeepaliveSpec _keepalive = new();
    private ResolverSpec? _resolver;
    private TimeSpan? _resolverTimeout;

    private static bool Hashes(BalancingSpec balancing) =>
        balancing.Method is BalancingMethod.Hash or BalancingMethod.IPHash or BalancingMethod.Random;

    public void Read()
    {
        foreach (var line in draft.At.Inside) Directive(line);
        Finish();
    }

    private void Directive(NginxDirective line)
    {
        switch (line.Name)
        {
            case "server":
                if (new ServerImport(findings, line, Hashes(draft.Spec.Balancing)).Read(_serverNames.Add(line.First)) is { } server) _servers.Add((server, line));
                break;
            case "hash" or "ip_hash" or "least_conn" or "least_time" or "random":
                Method(line);
                break;
            case "sticky" or "sticky_cookie_insert":
                if (IsOnce(line, "sticky")) draft.Spec = draft.Spec with { Sticky = new StickyImport(findings, variables, draft.Variables, line).Read() };
                break;
            case "keepalive" or "keepalive_requests" or "keepalive_time" or "keepalive_timeout":
                if (IsOnce(line) && HasArguments(line, 1, line.Name == "keepalive" ? 2 : 1)) Keepalive(line);
                break;
            case "queue":
                if (IsOnce(line) && HasArguments(line, 1, 2)) Queue(line);
                break;
            case "ntlm":
                if (IsOnce(line) && HasArguments(line, 0, 0)) draft.Spec = draft.Spec with { Ntlm = true };
                break;
            case "zone":
                _zone = true;
                break;
            case "state":
                _state = true;
                findings.NoCounterpart(line, "servers come from manifests or the cluster");
                break;
            case "resolver":
                if (IsOnce(line)) _resolver = ResolverImport.Read(line, findings);
                break;
            case "resolver_timeout":
                if (IsOnce(line)) _resolverTimeout = ResolverImport.ReadTimeout(line, findings);
                break;
            default:
                findings.Error(line, $"unknown directive \"{line.Name}\"");
                break;
        }
    }

    /// <summary>sticky wraps the method named before it; a method named after it takes its place.</summary>
    private void Method(NginxDirective line)
    {
        if (MethodImport.Read(line, findings, variables, draft.Variables) is not { } balancing) return;

        var loses = draft.Spec.Sticky is not null;
        if (loses) findings.Warn(line, "load balancing method redefined: named after sticky it switches sticky off in nginx, and so here");
        else if (_methodNamed) findings.Warn(line, "load balancing method redefined");

        _methodNamed = true;
        draft.Spec = draft.Spec with { Balancing = balancing, Sticky = null };
    }

    private void Keepalive(NginxDirective line)
    {
        var isTime = NginxTime.TryParse(line.First, TimeUnit.Milliseconds, out var time);
        var isNumber = NginxValues.TryNumber(line.First, 0, out var number);
        switch (line.Name)
        {
            case "keepalive" when line.Arguments.Length == 2 && line.Arguments[1] != "local":
                findings.Error(line, $"invalid parameter \"{line.Arguments[1]}\"");
                break;
            case "keepalive" when isNumber:
                _keepalive = _keepalive with { Connections = (int)findings.AtMost(line, number, MostConnections) };
                break;
            case "keepalive":
                findings.Error(line, $"invalid value \"{line.First}\" in \"keepalive\" directive");
                break;
            case "keepalive_requests" when isNumber:
                _keepalive = _keepalive with { Requests = (int)findings.AtMost(line, number, int.MaxValue) };
                break;
            case "keepalive_requests":
                findings.Error(line, "\"keepalive_requests\" directive invalid number");
                break;
            case "keepalive_time" when isTime:
                _keepalive = _keepalive with { Time = time };
                break;
            case "keepalive_timeout" when isTime:
                _keepalive = _keepalive with { Timeout = time };
                break;
            default:
                findings.Error(line, $"\"{line.Name}\" directive invalid value");
                break;
        }
    }

    private void Queue(NginxDirective line)
    {
        var queue = new QueueSpec();
        if (NginxValues.TryNumber(line.First, 1, out var size)) queue = queue with { Size = (int)findings.AtMost(line, size, LongestQueue) };
        else findings.Error(line, $"invalid value \"{line.First}\" in \"queue\" directive");

        foreach (var word in line.Arguments.Skip(1))
        {
            if (NginxValues.Parameter(word) is ("timeout", { } value) && NginxTime.TryParse(value, TimeUnit.Milliseconds, out var time) && time > TimeSpan.Zero)
                queue = queue with { Timeout = time };
            else
                findings.Error(line, $"invalid parameter \"{word}\"");
        }

        draft.Spec = draft.Spec with { Queue = queue };
    }

    private void Finish()
    {
        CheckServers();
        if (Hashes(draft.Spec.Balancing)) DropHiddenBackups();

        var spec = draft.Spec with { Servers = [.. _servers.Select(server => server.Spec)] };
        if (_keepalive != new KeepaliveSpec()) spec = spec with { Keepalive = _keepalive };
        if (_servers.FirstOrDefault(server => server.Spec.Resolve) is { Line: { } resolving }) spec = spec with { Resolver = Resolver(resolving) };
        draft.Spec = spec;
    }

    private void CheckServers()
    {
        if (!_state && !draft.At.Inside.Any(line => line.Name == "server")) findings.Error(draft.At, "no servers are inside upstream");
        else if (_servers.Count > 0 && _servers.TrueForAll(server => server.Spec.Backup)) findings.Error(draft.At, $"no servers in upstream \"{draft.At.First}\"");

        foreach (var (server, line) in _servers)
        {
            if (server.Resolve && !_zone)
                findings.Error(line, $"resolving names at run time requires upstream \"{draft.At.First}\" to be in shared memory");
        }
    }

    /// <summary>A method named after the servers does not see their backup in nginx and reaches them when all else fails; here the two exclude each other.</summary>
    private void DropHiddenBackups()
    {
        foreach (var (_, line) in _servers.Where(server => server.Spec.Backup || server.Spec.SlowStart > TimeSpan.Zero))
            findings.NoCounterpart(line, "the balancing method takes no backup and no slow_start, wherever its line stands");

        _servers.RemoveAll(server => server.Spec.Backup);
        for (var i = 0; i < _servers.Count; i++) _servers[i] = (_servers[i].Spec with { SlowStart = TimeSpan.Zero }, _servers[i].Line);
    }

    private ResolverSpec? Resolver(NginxDirective resolving)
    {
        var inherited = http.Nearest("resolver");
        var resolver = _resolver ?? (inherited.Count > 0 ? ResolverImport.Read(inherited[0], findings) : null);
        if (resolver is null && !_seen.Contains("resolver") && inherited.Count == 0)
            findings.Error(resolving, $"no resolver defined to resolve names at run time in upstream \"{draft.At.First}\"");

        var timeout = _resolverTimeout ?? (http.Setting("resolver_timeout", findings) is { } line ? ResolverImport.ReadTimeout(line, findings) : null);
        return timeout is { } time && resolver is not null ? resolver with { Timeout = time } : resolver;
    }

    private bool IsOnce(NginxDirective line, string? name = null)
    {
        if (_seen.Add(name ?? line.Name)) return true;

        findings.Error(line, $"\"{name ?? line.Name}\" directive is duplicate");
        return false;
    }

    private bool HasArguments(NginxDirective line, int least, int most)
    {
        if (line.Arguments.Length >= least && line.Arguments.Length <= most) return true;

        findings.Error(line, $"invalid number of arguments in \"{line.Name}\" directive");
        return false;
    }
}
