using Microsoft.Extensions.Logging;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control;

/// <summary>Every message of this project. Ids are never reused: 1000s control, 2000s proxy, 3000s cluster.</summary>
internal static partial class Log
{
    [LoggerMessage(1001, LogLevel.Information, "Published snapshot {Revision} with {Upstreams} upstreams; {Changed} changed")]
    public static partial void Published(ILogger logger, long revision, int upstreams, int changed);

    [LoggerMessage(1002, LogLevel.Error, "A compile failed, which is a mistake of ours; what was published keeps serving")]
    public static partial void ReconcileFailed(ILogger logger, Exception exception);

    [LoggerMessage(1003, LogLevel.Error, "{Diagnostic}")]
    public static partial void FoundError(ILogger logger, Diagnostic diagnostic);

    [LoggerMessage(1004, LogLevel.Warning, "{Diagnostic}")]
    public static partial void FoundWarning(ILogger logger, Diagnostic diagnostic);

    [LoggerMessage(1005, LogLevel.Information, "{Resource} has nothing wrong any more")]
    public static partial void Mended(ILogger logger, string resource);

    [LoggerMessage(1006, LogLevel.Warning, "Folder {Folder} cannot be watched and is only looked through from time to time: {Reason}")]
    public static partial void FolderNotWatched(ILogger logger, string folder, string reason);

    [LoggerMessage(1007, LogLevel.Error, "The source of resources failed and is started again")]
    public static partial void SourceFailed(ILogger logger, Exception exception);

    [LoggerMessage(1011, LogLevel.Warning, "The source is away; {File} from before serves its {Upstreams} upstreams")]
    public static partial void CacheServed(ILogger logger, string file, int upstreams);

    [LoggerMessage(1012, LogLevel.Warning, "What would serve after a restart could not be written to {File}: {Message}")]
    public static partial void CacheNotWritten(ILogger logger, string file, string message);

    [LoggerMessage(1013, LogLevel.Warning, "A part of {File} cannot be read and is left out: {Message}")]
    public static partial void CacheLineUnreadable(ILogger logger, string file, string message);

    [LoggerMessage(1020, LogLevel.Information, "The affinity keys changed: {Count} are accepted now; fingerprint {Fingerprint}")]
    public static partial void KeysChanged(ILogger logger, int count, string fingerprint);

    [LoggerMessage(1021, LogLevel.Error, "The affinity keys stay as they were: {Trouble}")]
    public static partial void KeysKept(ILogger logger, string trouble);
}
