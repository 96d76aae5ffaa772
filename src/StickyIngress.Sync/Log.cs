using Microsoft.Extensions.Logging;

namespace StickyIngress.Sync;

/// <summary>Every message of this project. Ids are never reused: 5000s.</summary>
internal static partial class Log
{
    [LoggerMessage(5001, LogLevel.Warning, "Shared sessions: no connection to the store: {Reason}")]
    public static partial void NotConnected(ILogger logger, string reason);

    [LoggerMessage(5002, LogLevel.Information, "Shared sessions: the password has changed; connected with the new one")]
    public static partial void PasswordChanged(ILogger logger);

    [LoggerMessage(5003, LogLevel.Debug, "Shared changes of peers: {Reason}")]
    public static partial void PeersNotShared(ILogger logger, string reason);

    [LoggerMessage(5004, LogLevel.Warning,
        "Shared sessions: the store does not take the password that the file has now; the connection with the former one stays, and it is tried again")]
    public static partial void PasswordRefused(ILogger logger);
}
