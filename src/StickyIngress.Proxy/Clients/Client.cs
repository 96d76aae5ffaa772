using System.Net;

namespace StickyIngress.Proxy.Clients;

/// <summary>Who sent a request, as far as we believe what trusted proxies say.</summary>
/// <param name="Address">Null for a client on a unix socket.</param>
/// <param name="Trusted">The request came from a trusted proxy, so its X-Forwarded headers are kept and added to.</param>
public readonly record struct Client(IPAddress? Address, int Port, bool IsHttps, bool Trusted);
