namespace StickyIngress.Proxy.Caching;

/// <summary>Where an answer came from; the words of nginx's <c>$upstream_cache_status</c> are these in upper case.</summary>
internal enum CacheStatus
{
    /// <summary>Nothing was kept, so a peer was asked.</summary>
    Miss,

    /// <summary>A kept response whose time is not over.</summary>
    Hit,

    /// <summary>The route's bypass, or credentials in the request, sent it to a peer.</summary>
    Bypass,

    /// <summary>What was kept was over its time, so a peer was asked.</summary>
    Expired,

    /// <summary>No peer answered well, so what was kept had to do.</summary>
    Stale,

    /// <summary>What was kept is over its time and another request is fetching it anew.</summary>
    Updating,

    /// <summary>A peer said that what was kept is still right.</summary>
    Revalidated,
}
