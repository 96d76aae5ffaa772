using System.Collections.Frozen;
using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Control.Compilation;

/// <summary>How requests are passed on: a route's own field, else the spec's, else nginx's default. A list or group counts as one field.</summary>
internal static class ProxyPass
{
    private const string Field = "spec.proxy";

    private static readonly Template DefaultHost = Template.TryParse("$host", null, out var host, out var error) ? host : throw new InvalidOperationException(error);
    private static readonly NextUpstream DefaultNext = Next(new());

    private static readonly FrozenSet<string> ConnectionHeaders =
        new[] { "Connection", "Content-Length", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade" }
            .ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static void Run(PlanDraft draft) => draft.Proxy = Settings(draft, draft.Spec.Proxy, Field, null);

    /// <summary>The settings of a route with its own fields.</summary>
    public static ProxySettings ForRoute(PlanDraft draft, ProxySpec own, string field) => Settings(draft, own, field, draft.Proxy);

    private static ProxySettings Settings(PlanDraft draft, ProxySpec spec, string field, ProxySettings? inherited)
    {
        var settings = Read(draft, spec, field, inherited);
        if (settings.Engine == PeerEngine.Yarp && spec.Engine is not null)
            CheckConnections(draft, $"{field}.engine is Yarp");
        else if (settings.Protocol is PeerProtocol.H2 or PeerProtocol.H2c && spec.Protocol is not null)
            CheckConnections(draft, $"{field}.protocol is {spec.Protocol}");
        CheckRepeats(draft, spec, field);
        return settings;
    }

    /// <summary>Tells what stands twice.</summary>
    private static void CheckRepeats(PlanDraft draft, ProxySpec spec, string field)
    {
        WarnOfRepeats(draft, spec.SetHeaders?.Select(header => header.Name), $"{field}.setHeaders", "peers get both by HTTP/1.1, and the last by HTTP/2 or engine Yarp");
        WarnOfRepeats(draft, spec.NextUpstream?.On?.Select(on => on.ToString()), $"{field}.nextUpstream.on", "once is enough");
        WarnOfRepeats(draft, spec.NextUpstream?.Conditions?.Select(on => on.ToString()), $"{field}.nextUpstream.conditions", "once is enough");
    }

    private static void WarnOfRepeats(PlanDraft draft, IEnumerable<string>? names, string field, string comesTo)
    {
        if (names is null) return;

        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (i, name) in names.Index())
        {
            if (!seen.Add(name)) draft.Found.Warn(Reasons.Repeated, $"{field}[{i}]", $"{name} stands there before; {comesTo}");
        }
    }

    /// <summary>Refuses or tells what would do nothing, because only connections of our own do it.</summary>
    private static void CheckConnections(PlanDraft draft, string why)
    {
        if (draft.Spec.Ntlm)
            draft.Found.Refuse(Reasons.UnsupportedByEngine, "spec.ntlm", $"ntlm is true, but {why}; ntlm needs engine Auto and protocol HTTP or HTTPS");

        if (draft.Spec.Keepalive?.Connections is { } connections) Warn("connections", connections);
        if (draft.Spec.Keepalive?.Requests is { } requests) Warn("requests", requests);

        void Warn(string name, int value) => draft.Found.Warn(
            Reasons.UnsupportedByEngine, $"spec.keepalive.{name}", $"{name} is {value} and has no effect, since {why}; it needs engine Auto and protocol HTTP or HTTPS");
    }

    /// <param name="inherited">What an absent field has; null: the defaults.</param>
    private static ProxySettings Read(PlanDraft draft, ProxySpec spec, string field, ProxySettings? inherited) => new()
    {
        Protocol = spec.Protocol is { } protocol ? Protocol(protocol) : inherited?.Protocol,
        Engine = spec.Engine is { } engine ? Engine(engine) : inherited?.Engine ?? PeerEngine.Auto,
        Host = spec.Host is { } host ? draft.Text($"{field}.host", host, Moment.Try) : inherited?.Host ?? DefaultHost,
        SetHeaders = spec.SetHeaders is { } set ? RequestHeaders(draft, set, $"{field}.setHeaders") : inherited?.SetHeaders ?? [],
        ResponseHeaders = spec.ResponseHeaders is { } added
            ? ResponseHeaders(draft, added, $"{field}.responseHeaders")
            : inherited?.ResponseHeaders ?? [],
        ConnectTimeout = spec.ConnectTimeout ?? inherited?.ConnectTimeout ?? Defaults.ConnectTimeout,
        SendTimeout = spec.SendTimeout ?? inherited?.SendTimeout ?? Defaults.SendTimeout,
        ReadTimeout = spec.ReadTimeout ?? inherited?.ReadTimeout ?? Defaults.ReadTimeout,
        MaxBodySize = spec.MaxBodySize ?? inherited?.MaxBodySize ?? Defaults.MaxBodySize,
        RequestBuffer = (int)(spec.RequestBuffer ?? inherited?.RequestBuffer ?? Defaults.RequestBuffer),
        NextUpstream = spec.NextUpstream is { } next ? Next(next) : inherited?.NextUpstream ?? DefaultNext,
        Keepalive = inherited?.Keepalive ?? Keepalive(draft.Spec.Keepalive, draft.Spec.Ntlm),
        Tls = spec.Tls is { } tls ? Tls(draft, tls, $"{field}.tls") : inherited?.Tls ?? PeerTls.Default,
        Cache = spec.Cache is { } cache ? Cache(draft, cache, $"{field}.cache") : inherited?.Cache,
        HiddenCookies = draft.Spec.Sticky?.Cookie is { Hide: true } cookie ? [cookie.Name] : [],
    };

    private static PeerProtocol Protocol(ProxyProtocol protocol) => protocol switch
    {
        ProxyProtocol.HTTPS => PeerProtocol.Https,
        ProxyProtocol.H2C => PeerProtocol.H2c,
        ProxyProtocol.H2 => PeerProtocol.H2,
        _ => PeerProtocol.Http,
    };

    private static PeerEngine Engine(ProxyEngine engine) => engine == ProxyEngine.Yarp ? PeerEngine.Yarp : PeerEngine.Auto;

    private static ImmutableArray<RequestHeader> RequestHeaders(PlanDraft draft, IReadOnlyList<SetHeaderSpec> headers, string field) =>
        [.. headers.Select((header, i) => new RequestHeader(
            Name(draft, header.Name, $"{field}[{i}]"), Value(draft, header.Value, $"{field}[{i}]", Moment.Try)))];

    private static ImmutableArray<ResponseHeader> ResponseHeaders(PlanDraft draft, IReadOnlyList<ResponseHeaderSpec> headers, string field) =>
        [.. headers.Select((header, i) => new ResponseHeader(
            Name(draft, header.Name, $"{field}[{i}]"), Value(draft, header.Value, $"{field}[{i}]", Moment.Response), header.Always))];

    private static Template Value(PlanDraft draft, string value, string field, Moment moment)
    {
        if (value.Any(static c => char.IsControl(c) && c != '\t'))
            draft.Found.Warn(Reasons.NoEffect, $"{field}.value", $"\"{value}\" has a control character; a header may hold none but tabs, and a space is sent for it");
        return draft.Text($"{field}.value", value, moment);
    }

    private static string Name(PlanDraft draft, string name, string field)
    {
        if (ConnectionHeaders.Contains(name))
        {
            draft.Found.Refuse(Reasons.ReservedHeader, $"{field}.name",
                $"name is {name}, by which the proxy says where a message ends and what becomes of the connection; it cannot be set");
        }

        return name;
    }

    private static KeepaliveSettings Keepalive(KeepaliveSpec? spec, bool ntlm) => new(
        spec?.Connections ?? Defaults.KeepaliveConnections,
        spec?.Requests ?? Defaults.KeepaliveRequests,
        spec?.Time ?? Defaults.KeepaliveTime,
        spec?.Timeout ?? Defaults.KeepaliveTimeout,
        ntlm);

    private static NextUpstream Next(NextUpstreamSpec spec) => new(
        spec.Wanted.Contains(NextUpstreamCondition.Off) ? NextUpstreamOn.None : spec.Wanted.Aggregate(NextUpstreamOn.None, (all, on) => all | Condition(on)),
        spec.Tries,
        spec.Timeout);

    private static NextUpstreamOn Condition(NextUpstreamCondition condition) => condition switch
    {
        NextUpstreamCondition.Error => NextUpstreamOn.Error,
        NextUpstreamCondition.Timeout => NextUpstreamOn.Timeout,
        NextUpstreamCondition.InvalidHeader => NextUpstreamOn.InvalidHeader,
        NextUpstreamCondition.HTTP500 => NextUpstreamOn.Http500,
        NextUpstreamCondition.HTTP502 => NextUpstreamOn.Http502,
        NextUpstreamCondition.HTTP503 => NextUpstreamOn.Http503,
        NextUpstreamCondition.HTTP504 => NextUpstreamOn.Http504,
        NextUpstreamCondition.HTTP403 => NextUpstreamOn.Http403,
        NextUpstreamCondition.HTTP404 => NextUpstreamOn.Http404,
        NextUpstreamCondition.HTTP429 => NextUpstreamOn.Http429,
        NextUpstreamCondition.NonIdempotent => NextUpstreamOn.NonIdempotent,
        _ => NextUpstreamOn.None,
    };

    private static CacheSettings? Cache(PlanDraft draft, CacheSpec spec, string field) => !spec.Enabled ? null : new(
        draft.Text($"{field}.key", spec.Key, Moment.Request),
        spec.Valid,
        [.. spec.Bypass.Select((text, i) => draft.Text($"{field}.bypass[{i}]", text, Moment.Request))],
        spec.Stale,
        spec.MaxEntrySize);

    private static PeerTls Tls(PlanDraft draft, ProxyTlsSpec spec, string field)
    {
        var serverName = draft.Text($"{field}.serverName", spec.ServerName, Moment.Try);

        // Authorities that cannot be read leave nobody to trust (empty): falling back to the system's would trust whom the user did not name.
        var authorities = spec.CaSecretName.Length == 0
            ? null
            : draft.Secrets.ReadAuthorities(draft.UseSecret(spec.CaSecretName), $"{field}.caSecretName", draft.Found) ?? "";

        TlsSecret? client = null;
        if (spec.ClientCertSecretName.Length > 0)
            draft.Secrets.TryReadTls(draft.UseSecret(spec.ClientCertSecretName), $"{field}.clientCertSecretName", draft.Found, out client);

        return new(serverName, spec.Verify, authorities, client?.Certificate?.CertificatePem, client?.Certificate?.KeyPem);
    }
}
