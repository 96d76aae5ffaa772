using System.Net;
using Microsoft.AspNetCore.Http;
using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Cookies;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;
using StickyIngress.Proxy.Bodies;
using StickyIngress.Proxy.Caching;
using StickyIngress.Proxy.Clients;
using StickyIngress.Proxy.Tries;
using StickyIngress.Proxy.Variables;

namespace StickyIngress.Proxy;

/// <summary>One request from its arrival to its log line, and what variables read of it. Text is bytes: one character each.</summary>
public sealed class ProxyRequest : RequestValues
{
    private readonly Clock _clock;
    private string? _id;

    internal ProxyRequest(HttpContext context, Clock clock, in Client client)
    {
        (Context, _clock, Client, StartedAt) = (context, clock, client, clock.Milliseconds);
        Body = new(context, clock.Time);
    }

    public HttpContext Context { get; }

    public Client Client { get; }

    /// <summary>Unix milliseconds.</summary>
    public long StartedAt { get; }

    public long ElapsedMilliseconds => _clock.Milliseconds - StartedAt;

    /// <summary>The host that was routed by, without port; empty where the request has none.</summary>
    public string Host { get; internal set; } = "";

    /// <summary>Null until the request was routed.</summary>
    public Upstream? Upstream { get; internal set; }

    public ProxySettings Settings { get; internal set; } = null!;

    public Selection? Selection { get; internal set; }

    /// <summary>Null before the first.</summary>
    public PeerTry? LastTry { get; private set; }

    /// <summary>Headers of the last response that a peer gave; null before there is one.</summary>
    internal IPeerResponse? Response { get; set; }

    /// <summary>Why the server refused to read it; null: it did not.</summary>
    public string? Refusal { get; internal init; }

    /// <summary>The request body, and what of it can be sent again.</summary>
    internal RequestBody Body { get; }

    internal ResponseBody? ResponseBody { get; set; }

    /// <summary>What the cache makes of the request; null: it has no part in it.</summary>
    internal RequestCaching? Caching { get; set; }

    /// <summary>Milliseconds in the queue; -1: it was not there.</summary>
    public long QueueTime { get; internal set; } = -1;

    /// <summary>POST, LOCK and PATCH are not to be sent twice, unless asked for.</summary>
    public bool IsIdempotent => Context.Request.Method is not ("POST" or "LOCK" or "PATCH");

    /// <summary>Nothing of the body would be missing in another try.</summary>
    public bool CanReplayBody => Body.CanReplay;

    /// <summary>The request target's path and query, byte for byte as it came.</summary>
    public string Target { get; internal set; } = "/";

    public string Id => _id ??= RequestId.New();

    public override IPAddress? ClientAddress => Client.Address;

    public override bool IsHttps => Client.IsHttps;

    public PeerTry BeginTry(Peer? peer, string address)
    {
        // What a failed try answered must not be read as the next one's.
        Response = null;
        return LastTry = new(peer, address, _clock.Milliseconds, LastTry);
    }

    internal long Now => _clock.Milliseconds;

    public override bool TryGetCookie(string name, out ReadOnlySpan<char> value)
    {
        foreach (var header in Context.Request.Headers.Cookie)
        {
            if (header is not null && CookieHeader.TryFind(header, name, out value)) return true;
        }

        value = default;
        return false;
    }

    protected override string? Read(Variable variable) => variable.Kind switch
    {
        VariableKind.Host => Host,
        VariableKind.Uri => ByteText.From(Context.Request.Path.Value ?? ""),
        VariableKind.RequestUri => Target,
        VariableKind.Args => QueryText.All(Target).ToString(),
        VariableKind.ArgNamed => QueryText.Argument(Target, variable.Name),
        VariableKind.CookieNamed => TryGetCookie(variable.Name, out var cookie) ? cookie.ToString() : null,
        VariableKind.HttpNamed => Joined(Context.Request.Headers[variable.Name], variable.Name == "cookie" ? "; " : ", "),
        VariableKind.RemoteAddr => Client.Address?.ToString() ?? "unix:",
        VariableKind.RemotePort => Client.Port.ToString(),
        VariableKind.Scheme => IsHttps ? "https" : "http",
        VariableKind.ServerPort => Context.Connection.LocalPort.ToString(),
        VariableKind.RequestMethod => Context.Request.Method,
        VariableKind.RequestId => Id,
        VariableKind.Status => Context.Response.StatusCode.ToString(),
        VariableKind.BodyBytesSent => (ResponseBody?.Count ?? 0).ToString(),
        VariableKind.RequestTime => TryText.Seconds(ElapsedMilliseconds),
        VariableKind.Msec => TryText.Seconds(_clock.Milliseconds),
        VariableKind.StickyOutcome => Selection is { Outcome: not AffinityOutcome.None } s ? AffinityWords.Of(s.Outcome) : null,
        VariableKind.StickyReason => Selection is { Reason: not BreakReason.None } s ? AffinityWords.Of(s.Reason) : null,
        VariableKind.Peer => LastTry?.Peer?.Label,
        _ => TryText.Read(this, variable),
    };

    internal static string? Joined(Microsoft.Extensions.Primitives.StringValues values, string separator) =>
        values.Count switch
        {
            0 => null,
            1 => values[0],
            _ => string.Join(separator, values.AsEnumerable()),
        };
}
