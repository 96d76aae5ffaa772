using System.Collections.Immutable;
using System.Net;

namespace StickyIngress.Control.Sources;

/// <summary>What DNS said of the names that servers have; immutable, so that the compiler stays a pure function of what it is given.</summary>
public sealed record AddressBook(ImmutableDictionary<string, HostAddresses> Hosts)
{
    public static AddressBook Empty { get; } = new(ImmutableDictionary.Create<string, HostAddresses>(StringComparer.OrdinalIgnoreCase));

    /// <summary>Null: nobody has asked yet.</summary>
    public HostAddresses? Find(string host) => Hosts.GetValueOrDefault(host);
}

/// <summary>The addresses of a name, in the resolver's order.</summary>
/// <param name="Addresses">The last good answer; empty where there never was one.</param>
/// <param name="Error">Why the latest question was not answered; null: it was.</param>
public sealed record HostAddresses(ImmutableArray<IPAddress> Addresses, string? Error);
