using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Routing;

/// <summary>Where a host and path lead.</summary>
/// <param name="Upstream">Position in <see cref="Snapshot.Upstreams"/>; -1: the reference does not resolve, which is a 503.</param>
/// <param name="Https">Hosts that are sent to https; null: none.</param>
public sealed record Route(int Upstream, ProxySettings Proxy, HttpsHosts? Https = null);
