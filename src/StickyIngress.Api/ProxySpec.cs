using StickyIngress.Api.Schema;

namespace StickyIngress.Api;

[Doc("How requests are passed on. An absent field has nginx's default; on a route it has the value of spec.proxy.")]
public sealed record ProxySpec
{
    [Doc("How to speak to the peers; absent: as the Service port's appProtocol says, else HTTP.")]
    public ProxyProtocol? Protocol { get; init; }

    [Doc("What speaks to the peers: Auto is our own connections for HTTP and HTTPS, which is what keepalive.connections, keepalive.requests and ntlm are about, and YARP for H2C and H2; Yarp is YARP for all.")]
    public ProxyEngine? Engine { get; init; }

    [Doc("The Host header that the peer sees; may hold variables; $host by default."), Bound(1, 1024)]
    public string? Host { get; init; }

    [Doc("Request headers set for the peer; an empty value removes."), Bound(0, 64)]
    public IReadOnlyList<SetHeaderSpec>? SetHeaders { get; init => field = value?.ByValue(); }

    [Doc("Response headers added for the client; nginx add_header."), Bound(0, 64)]
    public IReadOnlyList<ResponseHeaderSpec>? ResponseHeaders { get; init => field = value?.ByValue(); }

    [Doc("Time to connect; nginx proxy_connect_timeout; 60s by default."), Time(TimeUnit.Milliseconds), Range(1, int.MaxValue)]
    public TimeSpan? ConnectTimeout { get; init; }

    [Doc("Time between two writes to the peer; nginx proxy_send_timeout; 60s by default."), Time(TimeUnit.Milliseconds), Range(1, int.MaxValue)]
    public TimeSpan? SendTimeout { get; init; }

    [Doc("Time between two reads from the peer; nginx proxy_read_timeout; 60s by default."), Time(TimeUnit.Milliseconds), Range(1, int.MaxValue)]
    public TimeSpan? ReadTimeout { get; init; }

    [Doc("Request bodies at most; over it: 413; 0: no limit; nginx client_max_body_size; 1m by default."), Size]
    public long? MaxBodySize { get; init; }

    [Doc("How much of a request body is kept so that another peer can be tried; 64k by default."), Size, Range(0, 16777216)]
    public long? RequestBuffer { get; init; }

    [Doc("When a request goes to the next peer; nginx proxy_next_upstream.")]
    public NextUpstreamSpec? NextUpstream { get; init; }

    [Doc("TLS towards the peers, for protocol HTTPS and H2.")]
    public ProxyTlsSpec? Tls { get; init; }

    [Doc("Keep responses and answer from them; nginx proxy_cache.")]
    public CacheSpec? Cache { get; init; }
}

[Doc("A cache of responses to GET. One with Set-Cookie, Cache-Control: private, no-store or no-cache, or Vary: * is never kept.")]
public sealed record CacheSpec
{
    [Doc("Switches it on.")]
    public bool Enabled { get; init; }

    [Doc("How long a 200, 301 or 302 holds that does not say so itself (Cache-Control, Expires, X-Accel-Expires)."), Time(TimeUnit.Seconds)]
    public TimeSpan Valid { get; init; } = Defaults.CacheValid;

    [Doc("What makes two requests the same; may hold variables."), Bound(1, 1024)]
    public string Key { get; init; } = Defaults.CacheKey;

    [Doc("Variables; where one is neither empty nor 0 the peer answers, and its response is kept; nginx proxy_cache_bypass."), Bound(0, 16), Item(256)]
    public IReadOnlyList<string> Bypass { get; init; } = [];

    [Doc("How long after its time a response may still be used while it is fetched anew, and when no peer answers well."), Time(TimeUnit.Seconds)]
    public TimeSpan Stale { get; init; }

    [Doc("A response with a larger body is not kept."), Size, Range(1, 67108864)]
    public long MaxEntrySize { get; init; } = Defaults.CacheMaxEntrySize;
}

public enum ProxyProtocol
{
    HTTP,
    HTTPS,
    H2C,
    H2,
}

public enum ProxyEngine
{
    Auto,
    Yarp,
}

[Doc("A request header for the peer.")]
public sealed record SetHeaderSpec
{
    [Doc("Name of the header."), Required, Bound(1, 128)]
    [Pattern("^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$", "a token: letters, digits and !#$%&'*+-.^_`|~")]
    public string Name { get; init; } = "";

    [Doc("Text with variables; empty removes the header."), Bound(0, 4096)]
    public string Value { get; init; } = "";
}

[Doc("A response header for the client.")]
public sealed record ResponseHeaderSpec
{
    [Doc("Name of the header."), Required, Bound(1, 128)]
    [Pattern("^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$", "a token: letters, digits and !#$%&'*+-.^_`|~")]
    public string Name { get; init; } = "";

    [Doc("Text with variables; an empty result adds no header."), Bound(0, 4096)]
    public string Value { get; init; } = "";

    [Doc("Also on responses other than 200, 201, 204, 206, 301, 302, 303, 304, 307 and 308.")]
    public bool Always { get; init; }
}

[Doc("nginx proxy_next_upstream, _tries and _timeout.")]
[Cel("!has(self.on) || !('Off' in self.on) || self.on.size() == 1", SpecRules.OffAlone)]
[Cel("!has(self.conditions) || !('Off' in self.conditions) || self.conditions.size() == 1", SpecRules.OffAlone)]
[Cel("!has(self.on) || !has(self.conditions)", SpecRules.OnOrConditions)]
public sealed record NextUpstreamSpec
{
    [Doc("What sends a request to the next peer; Error and Timeout by default; Off alone switches it off."), Bound(1, 12)]
    public IReadOnlyList<NextUpstreamCondition>? On { get; init => field = value?.ByValue(); }

    [Doc("The same as on, by a name that needs no quotes: to kubectl, which reads YAML 1.1, on without them means true."), Bound(1, 12)]
    public IReadOnlyList<NextUpstreamCondition>? Conditions { get; init => field = value?.ByValue(); }

    /// <summary>By whichever name they are written.</summary>
    public IReadOnlyList<NextUpstreamCondition> Wanted => On ?? Conditions ?? Defaults.NextUpstream;

    [Doc("Tries at most, the first included; 0: no limit."), Range(0, int.MaxValue)]
    public int Tries { get; init; }

    [Doc("No further try after this time; 0: no limit."), Time(TimeUnit.Milliseconds)]
    public TimeSpan Timeout { get; init; }
}

public enum NextUpstreamCondition
{
    Error,
    Timeout,
    InvalidHeader,
    HTTP500,
    HTTP502,
    HTTP503,
    HTTP504,
    HTTP403,
    HTTP404,
    HTTP429,
    NonIdempotent,
    Off,
}

[Doc("TLS towards the peers.")]
public sealed record ProxyTlsSpec
{
    [Doc("Name for SNI and verification; may hold variables; empty: that of the Host header."), Bound(0, 253)]
    public string ServerName { get; init; } = "";

    [Doc("Verify the peer's certificate.")]
    public bool Verify { get; init; } = true;

    [Doc("Secret with ca.crt; empty: the system's certificate authorities."), Bound(0, 253)]
    public string CaSecretName { get; init; } = "";

    [Doc("kubernetes.io/tls Secret that we show to the peer; empty: none."), Bound(0, 253)]
    public string ClientCertSecretName { get; init; } = "";
}
