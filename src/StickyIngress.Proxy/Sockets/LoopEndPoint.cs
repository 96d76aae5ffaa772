using System.Net;

namespace StickyIngress.Proxy.Sockets;

/// <summary>Where clients that speak plain HTTP/1.1 are taken in on event loops, where the system has them.</summary>
/// <param name="address">As in <see cref="IPEndPoint"/>; IPv6 any: both families, and on a machine without IPv6 IPv4 alone.</param>
/// <param name="port">0: any that is free.</param>
public sealed class LoopEndPoint(IPAddress address, int port) : IPEndPoint(address, port);
