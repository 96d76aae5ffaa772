namespace StickyIngress.Kubernetes;

/// <summary>Told what the watches do; metrics implement it. Called from many threads; must not block.</summary>
public interface IClusterObserver
{
    /// <summary>An event arrived, bookmarks included.</summary>
    void WatchEvent(string kind);

    /// <summary>A watch ended and begins anew.</summary>
    void WatchRestarted(string kind, WatchRestart reason);

    /// <summary>
    /// The set of this version is handed out and is the first with an endpoint change; the oldest in it arrived at that time.
    /// </summary>
    void EndpointsChanged(long setVersion, DateTimeOffset arrived);
}

public enum WatchRestart
{
    /// <summary>The server ended it, as it does every few minutes.</summary>
    Ended,

    /// <summary>410: what it watched from is compacted away; everything is listed again.</summary>
    Expired,

    /// <summary>Not a byte for too long.</summary>
    Silent,

    /// <summary>The server's versions went backwards, as after a restore; everything is listed again.</summary>
    Rewound,

    /// <summary>An event could not be read, so everything is listed again.</summary>
    Unreadable,

    /// <summary>The server refused or could not be reached.</summary>
    Failed,
}
