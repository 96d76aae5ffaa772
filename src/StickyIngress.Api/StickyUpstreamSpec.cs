using StickyIngress.Api.Schema;

namespace StickyIngress.Api;

[Doc("A group of servers, how to choose among them, how clients stick to them, and the hosts and paths that it serves.")]
public sealed record StickyUpstreamSpec
{
    [Doc("Which installation serves it; absent: the default one."), Bound(1, 253)]
    public string? IngressClassName { get; init; }

    [Doc("Hosts and paths that lead here; absent: reached only by reference from an Ingress."), Bound(0, 64)]
    public IReadOnlyList<RouteSpec> Routes { get; init; } = [];

    [Doc("Certificates by host name (SNI)."), Bound(0, 64)]
    public IReadOnlyList<TlsSpec> Tls { get; init; } = [];

    [Doc("The servers; at least one that is not a backup."), Required, ListMap("name"), Bound(1, 256)]
    public IReadOnlyList<ServerSpec> Servers { get; init; } = [];

    [Doc("DNS servers for addresses with resolve.")]
    public ResolverSpec? Resolver { get; init; }

    [Doc("How to choose a server for a client that is not bound to one.")]
    public BalancingSpec Balancing { get; init; } = new();

    [Doc("How clients stick to a server; absent: they don't. Exactly one of cookie, route and learn.")]
    public StickySpec? Sticky { get; init; }

    [Doc("Variables of your own, as nginx's map: the first pattern that matches gives the value."), ListMap("name"), Bound(0, 64)]
    public IReadOnlyList<VariableSpec> Variables { get; init; } = [];

    [Doc("How requests are passed on.")]
    public ProxySpec Proxy { get; init; } = new();

    [Doc("Idle connections to the servers; nginx keepalive.")]
    public KeepaliveSpec? Keepalive { get; init; }

    [Doc("Requests that find no free server wait here; nginx queue.")]
    public QueueSpec? Queue { get; init; }

    [Doc("Bind a client's connection to a server's connection once it authenticates by NTLM or Negotiate.")]
    public bool Ntlm { get; init; }

    [Doc("Requests of our own that find out whether a server is healthy; nginx health_check.")]
    public HealthCheckSpec? HealthCheck { get; init; }
}

[Doc("Hosts and paths that lead to this upstream.")]
public sealed record RouteSpec
{
    [Doc("Host names, exact or with *. in front; absent: any host."), Bound(0, 64), Item(253)]
    public IReadOnlyList<string> Hosts { get; init; } = [];

    [Doc("Paths; absent: Prefix /."), Bound(0, 64)]
    public IReadOnlyList<PathSpec> Paths { get; init; } = [];

    [Doc("What differs from spec.proxy on this route. A field that is absent here keeps its value from spec.proxy.")]
    public ProxySpec? Proxy { get; init; }
}

[Doc("A path and how it is compared.")]
public sealed record PathSpec
{
    [Doc("The path; for Regex a pattern without look-around and back-references."), Required, Bound(1, 1024)]
    public string Path { get; init; } = "/";

    [Doc("Prefix compares by whole segments, Exact the whole path, Regex by pattern.")]
    public PathType PathType { get; init; } = PathType.Prefix;
}

public enum PathType
{
    Prefix,
    Exact,
    Regex,
}

[Doc("A certificate and the hosts that it is for.")]
public sealed record TlsSpec
{
    [Doc("Host names; absent: those of the certificate."), Bound(0, 64), Item(253)]
    public IReadOnlyList<string> Hosts { get; init; } = [];

    [Doc("A kubernetes.io/tls Secret in the same namespace."), Required, Bound(1, 253)]
    public string SecretName { get; init; } = "";

    [Doc("Answer plain http with 308 to https.")]
    public bool Redirect { get; init; }
}

[Doc("One server line: a Service or an address.")]
[Cel("has(self.service) != has(self.address)", "exactly one of service and address must be set")]
public sealed record ServerSpec
{
    [Doc("Name of the server, unique in the upstream."), Required, Bound(1, 63)]
    [Pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "lower-case letters, digits and '-', beginning and ending with a letter or digit")]
    public string Name { get; init; } = "";

    [Doc("Peers come from this Service's EndpointSlices.")]
    public ServiceRefSpec? Service { get; init; }

    [Doc("host[:port], ip[:port], [v6]:port or unix:/path; port 80 by default."), Bound(1, 512)]
    public string? Address { get; init; }

    [Doc("Share of the traffic; nginx weight=."), Range(1, 65535)]
    public int Weight { get; init; } = Defaults.Weight;

    [Doc("Requests at a time, at most; 0: no limit; nginx max_conns=."), Range(0, int.MaxValue)]
    public int MaxConns { get; init; } = Defaults.MaxConns;

    [Doc("Failures within failTimeout that suspend a peer; 0: failures are not counted; nginx max_fails=."), Range(0, int.MaxValue)]
    public int MaxFails { get; init; } = Defaults.MaxFails;

    [Doc("The time in which failures add up, and for which a peer is then suspended; whole seconds; nginx fail_timeout=.")]
    [Time(TimeUnit.Seconds)]
    public TimeSpan FailTimeout { get; init; } = Defaults.FailTimeout;

    [Doc("Time in which a recovered or new peer's weight grows to its full value; nginx slow_start="), Time(TimeUnit.Milliseconds)]
    public TimeSpan SlowStart { get; init; } = Defaults.SlowStart;

    [Doc("Used only when no other server is available.")]
    public bool Backup { get; init; }

    [Doc("Never used.")]
    public bool Down { get; init; }

    [Doc("Used only by clients already bound to it.")]
    public bool Drain { get; init; }

    [Doc("The server's name in route affinity and in NginxSid cookies; nginx route=."), Bound(1, 32)]
    public string? Route { get; init; }

    [Doc("What names each peer of a Service in route affinity.")]
    public RouteFrom? RouteFrom { get; init; }

    [Doc("Follow changes of the name in DNS; false: it is resolved when loaded.")]
    public bool Resolve { get; init; }

    [Doc("Name of a service whose SRV records give the peers; needs resolve; nginx service=."), Bound(1, 253)]
    public string? Srv { get; init; }
}

public enum RouteFrom
{
    PodName,
    Address,
}

[Doc("A port of a Service in the same namespace.")]
public sealed record ServiceRefSpec
{
    [Doc("Name of the Service."), Required, Bound(1, 63)]
    public string Name { get; init; } = "";

    [Doc("Its port by name or number; absent: its only port."), Bound(1, 63)]
    public IntOrString? Port { get; init; }
}

[Doc("DNS servers; nginx resolver.")]
public sealed record ResolverSpec
{
    [Doc("Addresses with port, 53 by default; asked in turn."), Required, Bound(1, 16), Item(255)]
    public IReadOnlyList<string> Addresses { get; init; } = [];

    [Doc("How long an answer holds; absent: its TTL."), Time(TimeUnit.Seconds)]
    public TimeSpan? Valid { get; init; }

    [Doc("Ask for IPv4 addresses.")]
    public bool Ipv4 { get; init; } = true;

    [Doc("Ask for IPv6 addresses.")]
    public bool Ipv6 { get; init; } = true;

    [Doc("How long to wait for an answer."), Time(TimeUnit.Milliseconds)]
    public TimeSpan Timeout { get; init; } = Defaults.ResolverTimeout;

    [Doc("Name under which the resolver's statistics appear in the metrics."), Bound(1, 63)]
    public string? StatusZone { get; init; }
}

[Doc("How to choose among the servers.")]
public sealed record BalancingSpec
{
    [Doc("The method.")]
    public BalancingMethod Method { get; init; } = BalancingMethod.RoundRobin;

    [Doc("For method Hash.")]
    public HashSpec? Hash { get; init; }

    [Doc("For method LeastTime.")]
    public LeastTimeSpec? LeastTime { get; init; }

    [Doc("For method Random.")]
    public RandomSpec? Random { get; init; }
}

public enum BalancingMethod
{
    RoundRobin,
    LeastConn,
    LeastTime,
    Hash,
    IPHash,
    Random,
}

[Doc("nginx hash.")]
public sealed record HashSpec
{
    [Doc("Text with variables."), Required, Bound(0, 1024)]
    public string Key { get; init; } = "";

    [Doc("Ketama: a change of the servers moves few keys.")]
    public bool Consistent { get; init; }
}

[Doc("nginx least_time.")]
public sealed record LeastTimeSpec
{
    [Doc("Time to the response header, or to its last byte.")]
    public LeastTimeMeasure Measure { get; init; } = LeastTimeMeasure.Header;

    [Doc("Count requests that are still running.")]
    public bool Inflight { get; init; }
}

public enum LeastTimeMeasure
{
    Header,
    LastByte,
}

[Doc("nginx random.")]
public sealed record RandomSpec
{
    [Doc("Draw two and take the better.")]
    public bool Two { get; init; }

    [Doc("What makes the better of two.")]
    public RandomMethod Method { get; init; } = RandomMethod.LeastConn;
}

public enum RandomMethod
{
    LeastConn,
    LeastTimeHeader,
    LeastTimeLastByte,
}

[Doc("How clients stick to a server.")]
[Cel("[has(self.cookie), has(self.route), has(self.learn)].filter(x, x).size() == 1", "exactly one of cookie, route and learn must be set")]
public sealed record StickySpec
{
    [Doc("The proxy gives the client a cookie that names the server.")]
    public StickyCookieSpec? Cookie { get; init; }

    [Doc("Something in the request names the server.")]
    public StickyRouteSpec? Route { get; init; }

    [Doc("The proxy learns which server made which session.")]
    public StickyLearnSpec? Learn { get; init; }

    [Doc("What makes a peer the same peer: the pod (PodUID), its name (PodName survives a StatefulSet pod's restart) or its address.")]
    public PeerIdentity Identity { get; init; } = PeerIdentity.PodUID;

    [Doc("What happens to a client whose server is unavailable: another one (Rebind) or failStatus (Fail).")]
    public OnUnavailable OnUnavailable { get; init; } = OnUnavailable.Rebind;

    [Doc("The status for Fail."), Range(400, 599)]
    public int FailStatus { get; init; } = Defaults.FailStatus;
}

public enum PeerIdentity
{
    PodUID,
    PodName,
    Address,
}

public enum OnUnavailable
{
    Rebind,
    Fail,
}

[Doc("nginx sticky cookie.")]
public sealed record StickyCookieSpec
{
    [Doc("Name of the cookie."), Required, Bound(1, 128)]
    [Pattern("^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$", "a token: letters, digits and !#$%&'*+-.^_`|~")]
    public string Name { get; init; } = "";

    [Doc("Opaque: keyed, says nothing about the peer. NginxSid: the route, or the MD5 of address:port.")]
    public CookieValue Value { get; init; } = CookieValue.Opaque;

    [Doc("A second form that is understood but not issued, for moving over.")]
    public CookieValue? Accept { get; init; }

    [Doc("How long the client keeps it: a duration in whole seconds, or max; absent: until the browser is closed."), Bound(1, 64)]
    public CookieExpires? Expires { get; init; }

    [Doc("Domain attribute; may hold variables."), Bound(1, 253)]
    public string? Domain { get; init; }

    [Doc("Path attribute."), Bound(1, 1024)]
    public string Path { get; init; } = "/";

    [Doc("Hidden from scripts.")]
    public bool HttpOnly { get; init; } = true;

    [Doc("Secure attribute: when the client's connection is https (Auto), Always or Never.")]
    public CookieSecure Secure { get; init; } = CookieSecure.Auto;

    [Doc("Strict, Lax, None or a variable; absent: no attribute."), Bound(1, 128)]
    public string? SameSite { get; init; }

    [Doc("One cookie jar per top-level site (CHIPS).")]
    public bool Partitioned { get; init; }

    [Doc("When the cookie is sent: to new and rebound clients and at half-life (OnChange), or with every response (Always), as nginx does.")]
    public CookieIssue Issue { get; init; } = CookieIssue.OnChange;

    [Doc("Do not pass the cookie to the peer.")]
    public bool Hide { get; init; } = true;

    [Doc("A client that was away for longer is balanced as new; enforced by us in a sealed cookie."), Time(TimeUnit.Seconds), Range(1000, long.MaxValue)]
    public TimeSpan? IdleTimeout { get; init; }

    [Doc("A binding ends after this time however often it is used; enforced by us in a sealed cookie."), Time(TimeUnit.Seconds), Range(1000, long.MaxValue)]
    public TimeSpan? AbsoluteTimeout { get; init; }
}

public enum CookieValue
{
    Opaque,
    NginxSid,
}

public enum CookieSecure
{
    Auto,
    Always,
    Never,
}

public enum CookieIssue
{
    OnChange,
    Always,
}

[Doc("nginx sticky route.")]
public sealed record StickyRouteSpec
{
    [Doc("Variables; the first that is not empty names the server."), Required, Bound(1, 16), Item(256)]
    public IReadOnlyList<string> From { get; init; } = [];
}

[Doc("nginx sticky learn.")]
public sealed record StickyLearnSpec
{
    [Doc("Variables; the first that is not empty is a new session's id."), Required, Bound(1, 16), Item(256)]
    public IReadOnlyList<string> Create { get; init; } = [];

    [Doc("Variables; the first that is not empty is a known session's id."), Required, Bound(1, 16), Item(256)]
    public IReadOnlyList<string> Lookup { get; init; } = [];

    [Doc("The session table.")]
    public SessionZoneSpec? Zone { get; init; }

    [Doc("Sessions at most, instead of zone.size."), Range(1, 100_000_000)]
    public int? MaxSessions { get; init; }

    [Doc("How long an unused session is remembered."), Time(TimeUnit.Milliseconds), Range(1, long.MaxValue)]
    public TimeSpan Timeout { get; init; } = Defaults.LearnTimeout;

    [Doc("Learn when the response header arrives, not when the response ends.")]
    public bool Header { get; init; }

    [Doc("Share sessions between replicas.")]
    public bool Sync { get; init; }
}

[Doc("A session table: a name, unique in the namespace, and a size as nginx counts it.")]
public sealed record SessionZoneSpec
{
    [Doc("Name of the table."), Required, Bound(1, 63)]
    public string Name { get; init; } = "";

    [Doc("Memory as nginx counts it, at least 32k: 16 sessions for each 4 KiB."), Size]
    public long? Size { get; init; }
}

[Doc("A variable made from another, as nginx's map.")]
public sealed record VariableSpec
{
    [Doc("Its name without the $."), Required, Bound(1, 63), Pattern("^[a-z_][a-z0-9_]*$", "lower-case letters, digits and '_'")]
    public string Name { get; init; } = "";

    [Doc("Text with variables that is matched."), Required, Bound(1, 1024)]
    public string From { get; init; } = "";

    [Doc("Pattern without look-around and back-references; its named groups are variables in value."), Required, Bound(1, 1024)]
    public string Match { get; init; } = "";

    [Doc("The value where the pattern matches; else the variable is empty."), Required, Bound(0, 1024)]
    public string Value { get; init; } = "";
}

[Doc("Idle connections to the servers.")]
public sealed record KeepaliveSpec
{
    [Doc("Idle connections kept per upstream; 0: none; nginx keepalive."), Range(0, 65535)]
    public int? Connections { get; init; }

    [Doc("Requests on one connection at most; nginx keepalive_requests."), Range(0, int.MaxValue)]
    public int? Requests { get; init; }

    [Doc("Age of a connection at most; nginx keepalive_time."), Time(TimeUnit.Milliseconds)]
    public TimeSpan? Time { get; init; }

    [Doc("Idle time after which a connection is closed; nginx keepalive_timeout."), Time(TimeUnit.Milliseconds)]
    public TimeSpan? Timeout { get; init; }
}

[Doc("nginx queue.")]
public sealed record QueueSpec
{
    [Doc("Requests that wait at most."), Required, Range(1, 1_000_000)]
    public int Size { get; init; }

    [Doc("How long one waits at most."), Time(TimeUnit.Milliseconds), Range(1, long.MaxValue)]
    public TimeSpan Timeout { get; init; } = Defaults.QueueTimeout;
}

[Doc("nginx health_check.")]
public sealed record HealthCheckSpec
{
    [Doc("What is asked for."), Bound(1, 1024), Pattern("^/[^\\s]*$", "a path that begins with / and has no white space")]
    public string Path { get; init; } = "/";

    [Doc("Port; 0: the peer's own."), Range(0, 65535)]
    public int Port { get; init; }

    [Doc("Time between two checks."), Time(TimeUnit.Milliseconds), Range(1, long.MaxValue)]
    public TimeSpan Interval { get; init; } = Defaults.HealthCheckInterval;

    [Doc("Random delay of each check, at most."), Time(TimeUnit.Milliseconds)]
    public TimeSpan Jitter { get; init; }

    [Doc("Failures in a row that make a peer unhealthy."), Range(1, int.MaxValue)]
    public int Fails { get; init; } = 1;

    [Doc("Passes in a row that make it healthy again."), Range(1, int.MaxValue)]
    public int Passes { get; init; } = 1;

    [Doc("How long an answer may take."), Time(TimeUnit.Milliseconds), Range(1, long.MaxValue)]
    public TimeSpan Timeout { get; init; } = Defaults.HealthCheckTimeout;

    [Doc("A new peer gets no requests until its first check passed.")]
    public bool Mandatory { get; init; }

    [Doc("With mandatory: a peer that was healthy before a restart needs no first check.")]
    public bool Persistent { get; init; }

    [Doc("What a healthy answer looks like.")]
    public HealthMatchSpec Match { get; init; } = new();
}

[Doc("Tests that must all hold; nginx match.")]
public sealed record HealthMatchSpec
{
    [Doc("Statuses and ranges; a leading ! on the first negates all."), Bound(1, 16), Item(16, "^!?\\s?[1-5][0-9][0-9](-[1-5][0-9][0-9])?$")]
    public IReadOnlyList<string> Status { get; init; } = ["200-399"];

    [Doc("As in nginx: NAME, ! NAME, NAME = VALUE, NAME != VALUE, NAME ~ PATTERN, NAME !~ PATTERN."), Bound(0, 16), Item(1024)]
    public IReadOnlyList<string> Headers { get; init; } = [];

    [Doc("As in nginx: ~ PATTERN or !~ PATTERN over the first 256 KiB; empty: not looked at."), Bound(0, 1024)]
    public string Body { get; init; } = "";
}
