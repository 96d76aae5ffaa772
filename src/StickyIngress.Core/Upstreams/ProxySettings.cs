using System.Collections.Frozen;
using System.Collections.Immutable;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Upstreams;

/// <summary>How the requests of one route are passed on; nothing is left to default here.</summary>
public sealed record ProxySettings
{
    /// <summary>Null: as each peer's own <see cref="Peer.Protocol"/> says.</summary>
    public PeerProtocol? Protocol { get; init; }

    /// <summary>What speaks to the peers.</summary>
    public PeerEngine Engine { get; init; }

    public required Template Host { get; init; }

    public ImmutableArray<RequestHeader> SetHeaders { get; init; } = [];

    public ImmutableArray<ResponseHeader> ResponseHeaders { get; init; } = [];

    public required TimeSpan ConnectTimeout { get; init; }

    public required TimeSpan SendTimeout { get; init; }

    public required TimeSpan ReadTimeout { get; init; }

    /// <summary>Bytes; 0: no limit.</summary>
    public required long MaxBodySize { get; init; }

    /// <summary>Bytes of a request body that are kept for another try; 0: none.</summary>
    public required int RequestBuffer { get; init; }

    public required NextUpstream NextUpstream { get; init; }

    public required KeepaliveSettings Keepalive { get; init; }

    public PeerTls Tls { get; init; } = PeerTls.Default;

    /// <summary>Null: no responses are kept.</summary>
    public CacheSettings? Cache { get; init; }

    /// <summary>Cookies that are not passed to the peer.</summary>
    public ImmutableArray<string> HiddenCookies { get; init; } = [];
}

/// <summary>A header set on the request to the peer; an empty value removes it.</summary>
public sealed record RequestHeader(string Name, Template Value)
{
    private static readonly FrozenSet<string> ContentNames = new[]
    {
        "Allow", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-Location", "Content-MD5",
        "Content-Range", "Content-Type", "Expires", "Last-Modified",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>One that .NET keeps with the body of a message, not with its head.</summary>
    public bool IsContent { get; } = ContentNames.Contains(Name);
}

/// <summary>A header added to the response; unless <paramref name="Always"/>, only with nginx's statuses of success.</summary>
public sealed record ResponseHeader(string Name, Template Value, bool Always);

/// <summary>Which responses are kept, and for how long.</summary>
/// <param name="Valid">For those that do not say it themselves.</param>
/// <param name="Bypass">Where one of these is neither empty nor 0, the peer answers.</param>
/// <param name="Stale">How long after its time a response may still be used.</param>
/// <param name="MaxEntrySize">Bytes of a body.</param>
public sealed record CacheSettings(Template Key, TimeSpan Valid, ImmutableArray<Template> Bypass, TimeSpan Stale, long MaxEntrySize);

/// <summary>Idle connections to peers.</summary>
/// <param name="Connections">Kept idle at most, for all peers of the upstream together; 0: none.</param>
/// <param name="Requests">Served by one connection at most; 0: none is kept.</param>
/// <param name="Time">Age after which a connection is not kept any more.</param>
/// <param name="Timeout">Idle time after which it is closed.</param>
/// <param name="Ntlm">A client connection that authenticates itself with NTLM or Negotiate gets a peer connection of its own.</param>
public sealed record KeepaliveSettings(int Connections, int Requests, TimeSpan Time, TimeSpan Timeout, bool Ntlm = false);

/// <summary>What speaks to the peers.</summary>
public enum PeerEngine
{
    /// <summary>Our own connections for HTTP/1.1, YARP for HTTP/2.</summary>
    Auto,

    /// <summary>YARP for everything.</summary>
    Yarp,
}

/// <summary>When a request goes to the next peer.</summary>
/// <param name="Tries">At most, the first included; 0: no limit.</param>
/// <param name="Timeout">No further try after this time; zero: no limit.</param>
public sealed record NextUpstream(NextUpstreamOn On, int Tries, TimeSpan Timeout);

[Flags]
public enum NextUpstreamOn
{
    None = 0,
    Error = 1,
    Timeout = 1 << 1,
    InvalidHeader = 1 << 2,
    Http500 = 1 << 3,
    Http502 = 1 << 4,
    Http503 = 1 << 5,
    Http504 = 1 << 6,
    Http403 = 1 << 7,
    Http404 = 1 << 8,
    Http429 = 1 << 9,
    NonIdempotent = 1 << 10,
}

/// <summary>TLS towards a peer. Certificates are PEM.</summary>
/// <param name="ServerName">For SNI and verification; empty: the Host header that the peer sees.</param>
/// <param name="CaPem">Authorities to trust; null: the system's.</param>
public sealed record PeerTls(Template ServerName, bool Verify, string? CaPem, string? ClientCertificatePem, string? ClientKeyPem)
{
    public static PeerTls Default { get; } = new(Template.Empty, Verify: true, null, null, null);
}
