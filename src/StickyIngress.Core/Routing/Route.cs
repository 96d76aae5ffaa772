using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Routing;

/// <summary>Where a host and path lead.</summary>
/// <param name="Upstream">Position in <see cref="Snapshot.Upstreams"/>; -1: the reference does not resolve, which is a 503.</param>
/// <param name="RedirectToHttps">Plain http is answered with 308.</param>
public sealed record Route(int Upstream, ProxySettings Proxy, bool RedirectToHttps = false);
