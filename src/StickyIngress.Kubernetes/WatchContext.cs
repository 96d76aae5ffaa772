using Microsoft.Extensions.Logging;

namespace StickyIngress.Kubernetes;

/// <summary>What the watches of a source share.</summary>
/// <param name="ForbiddenChanged">Told when a watch becomes forbidden, or allowed again.</param>
internal sealed record WatchContext(
    ApiServer Server, WatchTimes Times, IClusterObserver Observer, TimeProvider Time, ILogger Logger, Action ForbiddenChanged);
