using Microsoft.Extensions.Logging;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Proxy;

/// <summary>Every message of this project. Ids are never reused: 2000s.</summary>
internal static partial class Log
{
    [LoggerMessage(2001, LogLevel.Error, "Request {RequestId} ended by a fault of ours")]
    public static partial void RequestFailed(ILogger logger, Exception exception, string requestId);

    [LoggerMessage(2101, LogLevel.Warning, "Peer {Peer} of {Upstream} is unhealthy: {Reason}")]
    public static partial void PeerUnhealthy(ILogger logger, string peer, UpstreamName upstream, string reason);

    [LoggerMessage(2102, LogLevel.Information, "Peer {Peer} of {Upstream} is healthy")]
    public static partial void PeerHealthy(ILogger logger, string peer, UpstreamName upstream);
}
