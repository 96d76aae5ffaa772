using StickyIngress.Api;
using StickyIngress.Api.Schema;

namespace StickyIngress.Import;

/// <summary>The settings in force in a location, its own and inherited. What is absent in nginx is absent here where the defaults agree.</summary>
/// <param name="target">Where the location leads; null: only what is written is judged, for a block that has none.</param>
internal sealed class ProxyImport(ImportFindings findings, ImportVariables variables, UsedVariables used, Scope scope, ProxyTarget? target)
{
    private const long MostBuffered = 16 * 1024 * 1024;

    private readonly string _prefix = target?.IsGrpc == true ? "grpc" : "proxy";
    private readonly IReadOnlyDictionary<string, string> _literals = target?.Literals ?? new Dictionary<string, string> { ["proxy_host"] = "", ["proxy_port"] = "" };

    /// <summary>Every directive that is read here, for http and gRPC alike.</summary>
    public static bool Reads(string name) => name is "add_header" or "client_max_body_size" or "client_body_buffer_size"
        or "proxy_http_version" or "proxy_request_buffering" || (name.Split('_', 2) is ["proxy" or "grpc", var rest] && rest is
        "connect_timeout" or "send_timeout" or "read_timeout" or "next_upstream" or "next_upstream_tries" or "next_upstream_timeout"
        or "set_header" or "ssl_name" or "ssl_server_name" or "ssl_verify" or "ssl_trusted_certificate" or "ssl_certificate" or "ssl_certificate_key");

    public ProxySpec Read()
    {
        var (host, headers) = SetHeaders();
        return new()
        {
            Protocol = Protocol(),
            Host = host,
            SetHeaders = headers.Count > 0 ? headers : null,
            ResponseHeaders = ResponseHeaders() is { Count: > 0 } added ? added : null,
            ConnectTimeout = Time("connect_timeout"),
            SendTimeout = Time("send_timeout"),
            ReadTimeout = Time("read_timeout"),
            MaxBodySize = Size("client_max_body_size", offset: true),
            RequestBuffer = RequestBuffer(),
            NextUpstream = NextUpstream(),
            Tls = target is { IsTls: true } ? Tls(target) : null,
        };
    }

    private ProxyProtocol? Protocol()
    {
        var version = scope.Setting("proxy_http_version", findings);
        if (version is { First: not ("1.0" or "1.1" or "2") }) findings.Error(version, "invalid value");
        if (version is { First: "1.0" }) findings.NoCounterpart(version, "servers are spoken to in HTTP/1.1");
        if (target is null) return null;

        var second = target.IsGrpc || version is { First: "2" };
        return (second, target.IsTls) switch
        {
            (true, true) => ProxyProtocol.H2,
            (true, false) => ProxyProtocol.H2C,
            (false, true) => ProxyProtocol.HTTPS,
            _ => null,
        };
    }

    /// <summary>nginx's Host is the name in proxy_pass unless it is set; ours is the client's.</summary>
    private (string? Host, List<SetHeaderSpec> Headers) SetHeaders()
    {
        var (host, headers) = (target?.Host, new List<SetHeaderSpec>());
        foreach (var line in scope.Nearest($"{_prefix}_set_header"))
        {
            if (line.Arguments is not [var name, var text])
            {
                findings.Error(line, $"invalid number of arguments in \"{line.Name}\" directive");
                continue;
            }

            if (IsOurs(line, name, text) || variables.Translate(text, line, used, _literals) is not { } value) continue;

            if (!name.Equals("Host", StringComparison.OrdinalIgnoreCase)) Add(headers, line, new() { Name = name, Value = value });
            else if (value.Length == 0) findings.NoCounterpart(line, "a request has a Host");
            else host = value;
        }

        return (host == "$host" ? null : host, headers);
    }

    private bool IsOurs(NginxDirective line, string name, string text)
    {
        var lower = name.ToLowerInvariant();
        if (lower is "connection" or "upgrade" or "te" or "transfer-encoding" or "content-length" or "keep-alive")
        {
            findings.NoCounterpart(line, "the connection is the proxy's own business: it is kept alive, and upgrades pass without being asked for");
            return true;
        }

        // We send these by ourselves, with the same value.
        return (lower, text) is ("x-forwarded-for", "$proxy_add_x_forwarded_for") or ("x-forwarded-proto", "$scheme") or ("x-real-ip", "$remote_addr");
    }

    private void Add(List<SetHeaderSpec> headers, NginxDirective line, SetHeaderSpec header)
    {
        if (headers.RemoveAll(other => other.Name.Equals(header.Name, StringComparison.OrdinalIgnoreCase)) > 0)
            findings.NoCounterpart(line, "nginx sends both headers of this name; here the last holds");

        headers.Add(header);
    }

    private List<ResponseHeaderSpec> ResponseHeaders()
    {
        var headers = new List<ResponseHeaderSpec>();
        foreach (var line in scope.Nearest("add_header"))
        {
            if (line.Arguments.Length is < 2 or > 3) findings.Error(line, "invalid number of arguments in \"add_header\" directive");
            else if (line.Arguments.Length == 3 && line.Arguments[2] != "always") findings.Error(line, $"invalid parameter \"{line.Arguments[2]}\"");
            else if (variables.Translate(line.Arguments[1], line, used, _literals) is { } value)
                headers.Add(new() { Name = line.First, Value = value, Always = line.Arguments.Length == 3 });
        }

        return headers;
    }

    private TimeSpan? Time(string name)
    {
        if (scope.Setting($"{_prefix}_{name}", findings) is not { } line) return null;

        if (!NginxTime.TryParse(line.First, TimeUnit.Milliseconds, out var time))
            findings.Error(line, $"\"{line.Name}\" directive invalid value");
        else if (time == TimeSpan.Zero || time.TotalMilliseconds > int.MaxValue)
            findings.NoCounterpart(line, "a timeout is between 1ms and 24 days");
        else
            return time;

        return null;
    }

    private long? Size(string name, bool offset)
    {
        if (scope.Setting(name, findings) is not { } line) return null;
        if (NginxValues.TrySize(line.First, offset, out var bytes)) return bytes;

        findings.Error(line, $"\"{name}\" directive invalid value");
        return null;
    }

    private long? RequestBuffer()
    {
        var buffer = Size("client_body_buffer_size", offset: false);
        if (buffer is { } bytes) buffer = findings.AtMost(scope.Setting("client_body_buffer_size", findings)!, bytes, MostBuffered);
        if (scope.Setting("proxy_request_buffering", findings) is not { } line) return buffer;
        if (line.First is not ("on" or "off")) findings.Error(line, $"invalid value \"{line.First}\" in \"{line.Name}\" directive, it must be \"on\" or \"off\"");

        return line.First == "off" ? 0 : buffer;
    }

    private NextUpstreamSpec? NextUpstream()
    {
        var lines = scope.Nearest($"{_prefix}_next_upstream");
        var tries = scope.Setting($"{_prefix}_next_upstream_tries", findings);
        var timeout = scope.Setting($"{_prefix}_next_upstream_timeout", findings);
        if (lines.Count == 0 && tries is null && timeout is null) return null;

        var next = new NextUpstreamSpec();
        var on = lines.SelectMany(Conditions).Distinct().ToList();
        if (lines.Count > 0) next = next with { On = on.Count == 0 || on.Contains(NextUpstreamCondition.Off) ? [NextUpstreamCondition.Off] : on };

        if (tries is not null && NginxValues.TryNumber(tries.First, 0, out var number)) next = next with { Tries = (int)findings.AtMost(tries, number, int.MaxValue) };
        else if (tries is not null) findings.Error(tries, $"\"{tries.Name}\" directive invalid number");

        if (timeout is not null && NginxTime.TryParse(timeout.First, TimeUnit.Milliseconds, out var time)) next = next with { Timeout = time };
        else if (timeout is not null) findings.Error(timeout, $"\"{timeout.Name}\" directive invalid value");
        return next;
    }

    private List<NextUpstreamCondition> Conditions(NginxDirective line)
    {
        if (line.Arguments.IsEmpty) findings.Error(line, $"invalid number of arguments in \"{line.Name}\" directive");

        var conditions = new List<NextUpstreamCondition>();
        foreach (var word in line.Arguments)
        {
            if (word == "updating") findings.NoCounterpart(line, "updating is about a cache");
            else if (Condition(word) is not { } condition) findings.Error(line, $"invalid value \"{word}\"");
            else conditions.Add(condition);
        }

        return conditions;
    }

    private static NextUpstreamCondition? Condition(string word) => word switch
    {
        "error" => NextUpstreamCondition.Error,
        "timeout" => NextUpstreamCondition.Timeout,
        "invalid_header" => NextUpstreamCondition.InvalidHeader,
        "http_500" => NextUpstreamCondition.HTTP500,
        "http_502" => NextUpstreamCondition.HTTP502,
        "http_503" => NextUpstreamCondition.HTTP503,
        "http_504" => NextUpstreamCondition.HTTP504,
        "http_403" => NextUpstreamCondition.HTTP403,
        "http_404" => NextUpstreamCondition.HTTP404,
        "http_429" => NextUpstreamCondition.HTTP429,
        "non_idempotent" => NextUpstreamCondition.NonIdempotent,
        "off" => NextUpstreamCondition.Off,
        _ => null,
    };

    private ProxyTlsSpec Tls(ProxyTarget where)
    {
        var verify = scope.Setting($"{_prefix}_ssl_verify", findings);
        var authorities = scope.Setting($"{_prefix}_ssl_trusted_certificate", findings);
        var certificate = scope.Setting($"{_prefix}_ssl_certificate", findings);
        var named = scope.Setting($"{_prefix}_ssl_name", findings);
        var verifies = verify?.First == "on";
        if (verifies && authorities is null) findings.Error(verify!, $"no {_prefix}_ssl_trusted_certificate for {_prefix}_ssl_verify");
        if (scope.Setting($"{_prefix}_ssl_server_name", findings)?.First != "on")
            findings.Warn(where.Line, $"the server's name is sent in the TLS handshake; nginx does so only with {_prefix}_ssl_server_name on");

        return new()
        {
            ServerName = (named is null ? null : variables.Translate(named.First, named, used, _literals)) ?? where.Name,
            Verify = verifies,
            CaSecretName = verifies ? Secret(authorities, "ca", "generic", "--from-file=ca.crt=") : "",
            ClientCertSecretName = Secret(certificate, "client-cert", "tls", "--cert="),
        };
    }

    private string Secret(NginxDirective? line, string ending, string kind, string option)
    {
        if (line is null) return "";

        var name = $"{ResourceNames.From(Path.GetFileNameWithoutExtension(line.First), longest: 50)}-{ending}";
        var key = kind == "tls" ? $" --key={scope.Setting($"{_prefix}_ssl_certificate_key", findings)?.First ?? line.First}" : "";
        findings.ToDo(line, $"make the Secret: kubectl create secret {kind} {name} {option}{line.First}{key}");
        return name;
    }
}
