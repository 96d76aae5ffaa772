using Microsoft.Extensions.Logging;

namespace StickyIngress.Proxy;

/// <summary>Every message of this project. Ids are never reused: 2000s.</summary>
internal static partial class Log
{
    [LoggerMessage(2001, LogLevel.Error, "Request {RequestId} ended by a fault of ours")]
    public static partial void RequestFailed(ILogger logger, Exception exception, string requestId);
}
