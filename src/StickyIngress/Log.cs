using StickyIngress.Core.Upstreams;

namespace StickyIngress;

/// <summary>Every message of this project. Ids are never reused: 4000s.</summary>
internal static partial class Log
{
    [LoggerMessage(4040, LogLevel.Warning, "Shared sessions: {Store} cannot be used: {Reason}; known sessions stay, new ones are bound by this replica alone")]
    public static partial void StoreAway(ILogger logger, string store, string reason);

    [LoggerMessage(4042, LogLevel.Critical, "Shared sessions: sharing has ended and each replica keeps what it learns to itself until this one is restarted; this is a bug")]
    public static partial void SharingEnded(ILogger logger, Exception e);

    [LoggerMessage(4041, LogLevel.Information, "Shared sessions: {Store} is in use")]
    public static partial void StoreBack(ILogger logger, string store);

    [LoggerMessage(4043, LogLevel.Warning, "Shared sessions: a session is not shared, since the store has something else under its key {Reason}")]
    public static partial void UnusableKey(ILogger logger, string reason);

    [LoggerMessage(4001, LogLevel.Information, "Stopping: no longer ready; new connections still work for {Grace}, running requests then have {Drain}")]
    public static partial void Stopping(ILogger logger, TimeSpan grace, TimeSpan drain);

    [LoggerMessage(4002, LogLevel.Warning, "No affinity keys are configured, so opaque cookies are issued with a random key that other replicas and the next start do not know; set --affinity-keys")]
    public static partial void RandomKeys(ILogger logger);

    [LoggerMessage(4003, LogLevel.Information, "Serving http on {Http}, admin on {Admin}")]
    public static partial void Serving(ILogger logger, System.Net.IPEndPoint http, System.Net.IPEndPoint admin);

    [LoggerMessage(4004, LogLevel.Error, "The admin port could not answer {Path}; this is a bug")]
    public static partial void AdminFailed(ILogger logger, string path, Exception exception);

    [LoggerMessage(4010, LogLevel.Information, "Peer {Peer} was changed to {Override} by {Client}")]
    public static partial void PeerChanged(ILogger logger, PeerRef peer, PeerOverride @override, System.Net.IPAddress? client);

    [LoggerMessage(4011, LogLevel.Information, "State file: {Count} changed peers in {File}")]
    public static partial void StateRead(ILogger logger, string file, int count);

    [LoggerMessage(4012, LogLevel.Error, "State file: {Trouble}; serving begins without it, and changes of peers are not kept until it is moved away")]
    public static partial void StateRefused(ILogger logger, string trouble);

    [LoggerMessage(4013, LogLevel.Error, "State file: a change is in force but not kept, because {File} cannot be written: {Reason}")]
    public static partial void StateNotWritten(ILogger logger, string file, string reason);

    [LoggerMessage(4020, LogLevel.Information, "Session file: {Message}")]
    public static partial void SessionsRead(ILogger logger, string message);

    [LoggerMessage(4021, LogLevel.Warning, "Session file: {Message}")]
    public static partial void SessionsRefused(ILogger logger, string message);

    [LoggerMessage(4022, LogLevel.Error, "Session file: {File} cannot be written: {Reason}")]
    public static partial void SessionsNotWritten(ILogger logger, string file, string reason);
}
