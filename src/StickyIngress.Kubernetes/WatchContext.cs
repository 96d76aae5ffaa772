using Microsoft.Extensions.Logging;

namespace StickyIngress.Kubernetes;

/// <summary>What the watches of a source share.</summary>
/// <param name="TroubleChanged">Told when a watch becomes forbidden or cannot read an object, and when that is over.</param>
internal sealed record WatchContext(
    ApiServer Server, WatchTimes Times, IClusterObserver Observer, TimeProvider Time, ILogger Logger, Action TroubleChanged);
