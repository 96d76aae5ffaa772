namespace StickyIngress.Control.Sources;

/// <summary>Where resources come from: files or a cluster.</summary>
public interface IResourceSource
{
    /// <summary>
    /// The whole set whenever something changed, the first one as soon as everything was read once. A slow reader gets the latest set,
    /// not every one. Never throws but for cancellation.
    /// </summary>
    IAsyncEnumerable<ResourceSet> WatchAsync(CancellationToken cancellationToken);
}
