using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace StickyIngress.Control.Sources;

/// <summary>Asks for the addresses of a host name.</summary>
public interface IHostResolver
{
    /// <summary>All its addresses, in the order that the resolver gives; throws <see cref="SocketException"/> where there are none.</summary>
    Task<ImmutableArray<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken);
}

/// <summary>The operating system's resolver: /etc/hosts, search domains and all.</summary>
public sealed class SystemHostResolver : IHostResolver
{
    public async Task<ImmutableArray<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            return [.. (await Dns.GetHostAddressesAsync(host, cancellationToken)).Distinct()];
        }
        catch (ArgumentException)
        {
            // Too long for a name, which is not worth another kind of failure.
            throw new SocketException((int)SocketError.HostNotFound);
        }
    }
}
