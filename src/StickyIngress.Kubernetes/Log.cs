using Microsoft.Extensions.Logging;

namespace StickyIngress.Kubernetes;

/// <summary>Every message of this project. Ids are never reused.</summary>
internal static partial class Log
{
    [LoggerMessage(3001, LogLevel.Information, "Listed {Count} of {Kind} in {Place} at version {Version}")]
    public static partial void Listed(ILogger logger, string kind, string place, int count, string version);

    [LoggerMessage(3002, LogLevel.Warning, "Watch of {Kind} in {Place} was refused with {Code}: {Message}")]
    public static partial void WatchRefused(ILogger logger, string kind, string place, int code, string message);

    [LoggerMessage(3003, LogLevel.Warning, "Watch of {Kind} in {Place} failed: {Message}")]
    public static partial void WatchFailed(ILogger logger, string kind, string place, string message);

    [LoggerMessage(3004, LogLevel.Warning, "Watch of {Kind} in {Place} went silent and is cut")]
    public static partial void WatchSilent(ILogger logger, string kind, string place);

    [LoggerMessage(3005, LogLevel.Warning, "The API server's versions of {Kind} in {Place} went backwards; all is listed again")]
    public static partial void Rewound(ILogger logger, string kind, string place);

    [LoggerMessage(3006, LogLevel.Warning, "An event of {Kind} in {Place} cannot be read, so all will be listed again: {Message}")]
    public static partial void EventUnreadable(ILogger logger, string kind, string place, string message);

    [LoggerMessage(3007, LogLevel.Warning, "An object in the list of {Kind} in {Place} cannot be read; nothing counts as gone until it can: {Message}")]
    public static partial void ObjectUnreadable(ILogger logger, string kind, string place, string message);

    [LoggerMessage(3101, LogLevel.Information, "{Identity} leads from now on")]
    public static partial void Leads(ILogger logger, string identity);

    [LoggerMessage(3102, LogLevel.Information, "{Identity} leads no more")]
    public static partial void LeadsNoMore(ILogger logger, string identity);

    [LoggerMessage(3103, LogLevel.Warning, "The Lease could not be read or written: {Message}")]
    public static partial void LeaseFailed(ILogger logger, string message);

    [LoggerMessage(3201, LogLevel.Warning, "Status of {Resource} could not be written: {Message}")]
    public static partial void StatusFailed(ILogger logger, string resource, string message);

    [LoggerMessage(3202, LogLevel.Debug, "Status of {Resource} is written")]
    public static partial void StatusWritten(ILogger logger, string resource);

    [LoggerMessage(3203, LogLevel.Debug, "An Event about {Resource} could not be written: {Message}")]
    public static partial void EventFailed(ILogger logger, string resource, string message);
}
