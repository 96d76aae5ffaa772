using StickyIngress.Core.Affinity;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Proxy.Tries;

/// <summary>How a try ended; the words of nginx's <c>proxy_next_upstream</c> where it has one.</summary>
public enum TryEnd
{
    /// <summary>The whole response went to the client.</summary>
    Responded,

    /// <summary>The response broke off after its header had been accepted.</summary>
    Truncated,

    /// <summary>A status that sends the request on; nothing of the response was passed on.</summary>
    Status,

    /// <summary>No connection could be made.</summary>
    ConnectFailed,

    /// <summary>The connection could not be made in time.</summary>
    ConnectTimeout,

    /// <summary>The connection broke before the response's header was complete.</summary>
    Error,

    /// <summary>The peer did not take the request, or did not answer, in time.</summary>
    Timeout,

    /// <summary>What came is not a response.</summary>
    InvalidHeader,

    /// <summary>The client left.</summary>
    ClientAborted,

    /// <summary>The client's request body is malformed, larger than allowed, or did not come in time.</summary>
    BadRequestBody,
}

/// <summary>What each end means for the peer, the client and the metrics.</summary>
public static class TryEnds
{
    /// <summary>The try led to no response and may be followed by another.</summary>
    public static bool IsFailure(this TryEnd end) => end is
        TryEnd.ConnectFailed or TryEnd.ConnectTimeout or TryEnd.Error or TryEnd.Timeout or TryEnd.InvalidHeader;

    /// <summary>The status that nginx records, and answers where no other try follows.</summary>
    public static int StatusCode(this TryEnd end) => end is TryEnd.Timeout or TryEnd.ConnectTimeout ? 504 : 502;

    public static NextUpstreamOn Condition(this TryEnd end) => end switch
    {
        TryEnd.ConnectFailed or TryEnd.Error => NextUpstreamOn.Error,
        TryEnd.ConnectTimeout or TryEnd.Timeout => NextUpstreamOn.Timeout,
        TryEnd.InvalidHeader => NextUpstreamOn.InvalidHeader,
        _ => NextUpstreamOn.None,
    };

    /// <summary>Why a client bound to this peer had to leave it.</summary>
    public static BreakReason BreakReason(this TryEnd end) => end is TryEnd.ConnectFailed or TryEnd.ConnectTimeout
        ? Core.Affinity.BreakReason.ConnectFailed
        : Core.Affinity.BreakReason.PeerFailed;

    /// <summary>The word for metrics and logs.</summary>
    public static string Word(this TryEnd end) => end switch
    {
        TryEnd.Responded => "responded",
        TryEnd.Truncated => "truncated",
        TryEnd.Status => "status",
        TryEnd.ConnectFailed => "connect_failed",
        TryEnd.ConnectTimeout => "connect_timeout",
        TryEnd.Error => "error",
        TryEnd.Timeout => "timeout",
        TryEnd.InvalidHeader => "invalid_header",
        TryEnd.ClientAborted => "client_aborted",
        _ => "bad_request_body",
    };
}
