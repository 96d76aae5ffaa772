using System.Net;

namespace StickyIngress.Proxy.Sockets;

/// <summary>Where clients that speak TLS are taken in on event loops, where the system has them.</summary>
/// <param name="address">As of <see cref="LoopEndPoint"/>.</param>
/// <param name="port">0: any that is free.</param>
public sealed class TlsEndPoint(IPAddress address, int port) : IPEndPoint(address, port);
