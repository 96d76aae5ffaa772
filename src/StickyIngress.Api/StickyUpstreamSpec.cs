using StickyIngress.Api.Schema;

namespace StickyIngress.Api;

[Doc("A group of servers, how to choose among them, how clients stick to them, and the hosts and paths that it serves.")]
[Cel("self.servers.exists(s, !s.backup)", SpecRules.OnePrimary)]
[Cel("!(self.balancing.method in ['Hash', 'IPHash', 'Random']) || self.servers.all(s, !s.backup)", SpecRules.NoBackup)]
[Cel("!(self.balancing.method in ['Hash', 'IPHash', 'Random']) || self.servers.all(s, (type(s.slowStart) == string ? !s.slowStart.matches('[1-9]') : s.slowStart == 0))", SpecRules.NoSlowStart)]
public sealed record StickyUpstreamSpec
{
    [Doc("Which installation serves it; absent: the default one."), Bound(1, 253)]
    [Pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", "a DNS name: lower-case letters, digits, '-' and '.', each label beginning and ending with a letter or digit")]
    public string? IngressClassName { get; init; }

    [Doc("Hosts and paths that lead here; absent: reached only by reference from an Ingress."), Bound(0, 64)]
    public IReadOnlyList<RouteSpec> Routes { get; init => field = value.ByValue(); } = ValueList<RouteSpec>.Empty;

    [Doc("Certificates by host name (SNI)."), Bound(0, 64)]
    public IReadOnlyList<TlsSpec> Tls { get; init => field = value.ByValue(); } = ValueList<TlsSpec>.Empty;

    [Doc("The servers; at least one that is not a backup."), Required, ListMap("name"), Bound(1, 256)]
    public IReadOnlyList<ServerSpec> Servers { get; init => field = value.ByValue(); } = ValueList<ServerSpec>.Empty;

    [Doc("DNS servers for addresses with resolve.")]
    public ResolverSpec? Resolver { get; init; }

    [Doc("How to choose a server for a client that is not bound to one.")]
    public BalancingSpec Balancing { get; init; } = new();

    [Doc("How clients stick to a server; absent: they don't. Exactly one of cookie, route and learn.")]
    public StickySpec? Sticky { get; init; }

    [Doc("Variables of your own, as nginx's map: of several with one name the first whose pattern matches gives the value."), Bound(0, 64)]
    public IReadOnlyList<VariableSpec> Variables { get; init => field = value.ByValue(); } = ValueList<VariableSpec>.Empty;

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
    [Doc("Host names, exact or with *. in front; absent: any host."), Bound(1, 64), Item(253)]
    public IReadOnlyList<string> Hosts { get; init => field = value.ByValue(); } = ValueList<string>.Empty;

    [Doc("Paths; absent: Prefix /."), Bound(1, 64)]
    public IReadOnlyList<PathSpec> Paths { get; init => field = value.ByValue(); } = ValueList<PathSpec>.Empty;

    [Doc("What differs from spec.proxy on this route. A field that is absent here keeps its value from spec.proxy.")]
    public ProxySpec? Proxy { get; init; }
}

[Doc("A path and how it is compared.")]
[Cel("self.pathType == 'Regex' || self.path.startsWith('/')", SpecRules.PathBegins)]
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
    [Doc("Host names; absent or empty: those of the certificate."), Bound(0, 64), Item(253)]
    public IReadOnlyList<string> Hosts { get; init => field = value.ByValue(); } = ValueList<string>.Empty;

    [Doc("A kubernetes.io/tls Secret in the same namespace."), Required, Bound(1, 253)]
    public string SecretName { get; init; } = "";

    [Doc("Answer plain http for these hosts with 308 to https.")]
    public bool Redirect { get; init; }
}

[Doc("One server line: a Service or an address.")]
[Cel("has(self.service) != has(self.address)", SpecRules.ServiceOrAddress)]
[Cel("!(has(self.route) && has(self.routeFrom))", SpecRules.RouteOrRouteFrom)]
[Cel("!has(self.routeFrom) || has(self.service)", SpecRules.RouteFromService)]
[Cel("!self.resolve || has(self.address)", SpecRules.ResolveAddress)]
[Cel("!has(self.srv) || self.resolve", SpecRules.SrvResolve)]
[Cel("!has(self.srv) || (has(self.address) && self.address.matches('^[A-Za-z0-9_][A-Za-z0-9_.-]*$') && !self.address.matches('^[0-9.]+$'))", SpecRules.SrvName)]
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
    [Pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "lower-case letters, digits and '-', beginning and ending with a letter or digit")]
    public IntOrString? Port { get; init; }
}

[Doc("DNS servers; nginx resolver.")]
[Cel("self.ipv4 || self.ipv6", SpecRules.SomeAddressFamily)]
public sealed record ResolverSpec
{
    [Doc("Addresses with port, 53 by default; asked in turn."), Required, Bound(1, 16), Item(255)]
    public IReadOnlyList<string> Addresses { get; init => field = value.ByValue(); } = ValueList<string>.Empty;

    [Doc("How long an answer holds; absent or 0: its TTL."), Time(TimeUnit.Seconds)]
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
[Cel("(self.method == 'Hash') == has(self.hash)", SpecRules.HashOnly)]
[Cel("!has(self.leastTime) || self.method == 'LeastTime'", SpecRules.LeastTimeOnly)]
[Cel("!has(self.random) || self.method == 'Random'", SpecRules.RandomOnly)]
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
[Cel("[has(self.cookie), has(self.route), has(self.learn)].filter(x, x).size() == 1", SpecRules.OneStickyMode)]
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
[Cel("!has(self.sameSite) || self.sameSite != 'None' || self.secure != 'Never'", SpecRules.SameSiteNone)]
[Cel("!self.partitioned || self.secure != 'Never'", SpecRules.PartitionedSecure)]
[Cel("!self.name.matches('^(?i)__secure-') || self.secure != 'Never'", SpecRules.SecurePrefix)]
[Cel("!self.name.matches('^(?i)__host-') || (self.secure != 'Never' && self.path == '/' && !has(self.domain))", SpecRules.HostPrefix)]
[Cel("self.value != 'NginxSid' || (!has(self.idleTimeout) && !has(self.absoluteTimeout))", SpecRules.NoNginxTimeouts)]
public sealed record StickyCookieSpec
{
    [Doc("Name of the cookie."), Required, Bound(1, 128)]
    [Pattern("^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$", "a token: letters, digits and !#$%&'*+-.^_`|~")]
    public string Name { get; init; } = "";

    [Doc("Opaque: keyed, says nothing about the peer. NginxSid: the route, or the MD5 of address:port.")]
    public CookieValue Value { get; init; } = CookieValue.Opaque;

    [Doc("A second form that is understood but not issued, for moving over.")]
    public CookieValue? Accept { get; init; }

    [Doc("How long the client keeps it: a duration in whole seconds, or max; absent: until the browser is closed.")]
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
    [Pattern("^(Strict|Lax|None|\\$[A-Za-z0-9_]+|\\$\\{[A-Za-z0-9_]+\\})$", "Strict, Lax, None or a variable")]
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
    public IReadOnlyList<string> From { get; init => field = value.ByValue(); } = ValueList<string>.Empty;
}

[Doc("nginx sticky learn.")]
[Cel("has(self.zone) != has(self.maxSessions)", SpecRules.ZoneOrMaxSessions)]
public sealed record StickyLearnSpec
{
    [Doc("Variables; the first that is not empty is a new session's id."), Required, Bound(1, 16), Item(256)]
    public IReadOnlyList<string> Create { get; init => field = value.ByValue(); } = ValueList<string>.Empty;

    [Doc("Variables; the first that is not empty is a known session's id."), Required, Bound(1, 16), Item(256)]
    public IReadOnlyList<string> Lookup { get; init => field = value.ByValue(); } = ValueList<string>.Empty;

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
[Cel("type(self.size) == string ? self.size.matches('^0*(3[2-9]|[4-9][0-9]|[1-9][0-9][0-9]+)[kK]$|^0*[1-9][0-9]*[mMgG]$|^0*(3276[89]|327[7-9][0-9]|32[89][0-9][0-9]|3[3-9][0-9]{3}|[4-9][0-9]{4}|[1-9][0-9]{5,})$') : self.size >= 32768", SpecRules.ZoneSize)]
public sealed record SessionZoneSpec
{
    [Doc("Name of the table."), Required, Bound(1, 63)]
    public string Name { get; init; } = "";

    [Doc("Memory as nginx counts it, at least 32k: 16 sessions for each 4 KiB."), Required, Size]
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
[Cel("!self.persistent || self.mandatory", SpecRules.PersistentMandatory)]
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

    [Doc("With mandatory: a peer that was healthy when the resource changed needs no first check.")]
    public bool Persistent { get; init; }

    [Doc("What a healthy answer looks like.")]
    public HealthMatchSpec Match { get; init; } = new();
}

[Doc("Tests that must all hold; nginx match.")]
public sealed record HealthMatchSpec
{
    [Doc("Statuses and ranges; a leading ! on the first negates all."), Bound(1, 16), Item(16, "^!?\\s?[1-5][0-9][0-9](-[1-5][0-9][0-9])?$")]
    public IReadOnlyList<string> Status { get; init => field = value.ByValue(); } = new ValueList<string>(["200-399"]);

    [Doc("As in nginx: NAME, ! NAME, NAME = VALUE, NAME != VALUE, NAME ~ PATTERN, NAME !~ PATTERN."), Bound(0, 16), Item(1024)]
    public IReadOnlyList<string> Headers { get; init => field = value.ByValue(); } = ValueList<string>.Empty;

    [Doc("As in nginx: ~ PATTERN or !~ PATTERN over the first 256 KiB; empty: not looked at."), Bound(0, 1024)]
    public string Body { get; init; } = "";
}
