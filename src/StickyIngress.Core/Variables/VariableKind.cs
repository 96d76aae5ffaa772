namespace StickyIngress.Core.Variables;

/// <summary>Every built-in variable; those that end in Named take a name, as <c>$cookie_NAME</c> does.</summary>
public enum VariableKind
{
    Host,
    Uri,
    RequestUri,
    Args,
    ArgNamed,
    CookieNamed,
    HttpNamed,
    RemoteAddr,
    RemotePort,
    Scheme,
    ServerPort,
    RequestMethod,
    RequestId,
    Status,
    BodyBytesSent,
    RequestTime,
    Msec,
    UpstreamAddr,
    UpstreamBytesReceived,
    UpstreamBytesSent,
    UpstreamConnectTime,
    UpstreamHeaderTime,
    UpstreamResponseTime,
    UpstreamResponseLength,
    UpstreamStatus,
    UpstreamQueueTime,
    UpstreamLastServerName,
    UpstreamCacheStatus,
    UpstreamCookieNamed,
    UpstreamHttpNamed,
    UpstreamTrailerNamed,
    StickyOutcome,
    StickyReason,
    Peer,

    /// <summary>Defined by the user, see <see cref="MapVariable"/>.</summary>
    Map,

    /// <summary>A named group of the pattern of the <see cref="MapVariable"/> that is being evaluated.</summary>
    Capture,
}
