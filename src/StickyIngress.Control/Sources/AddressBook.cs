using System.Collections.Immutable;
using System.Net;
using StickyIngress.Control.Resolving;

namespace StickyIngress.Control.Sources;

/// <summary>What DNS said of the names that servers have; immutable, so that the compiler stays a pure function of what it is given.</summary>
public sealed record AddressBook(ImmutableDictionary<string, HostAddresses> Hosts)
{
    public static AddressBook Empty { get; } = new(ImmutableDictionary.Create<string, HostAddresses>(StringComparer.OrdinalIgnoreCase));

    /// <summary>Of the names that servers follow.</summary>
    public ImmutableDictionary<NameQuery, NameAnswer> Answers { get; init; } = ImmutableDictionary<NameQuery, NameAnswer>.Empty;

    /// <summary>Null: nobody has asked yet.</summary>
    public HostAddresses? Find(string host) => Hosts.GetValueOrDefault(host);

    /// <summary>Null: there was no answer yet, good or bad.</summary>
    public NameAnswer? Find(NameQuery name) => Answers.GetValueOrDefault(name);

    /// <summary>Whether nothing was put into one that the other has not.</summary>
    internal bool IsSameAs(AddressBook other) => ReferenceEquals(Hosts, other.Hosts) && ReferenceEquals(Answers, other.Answers);
}

/// <summary>The addresses of a name, in the resolver's order.</summary>
/// <param name="Addresses">The last good answer; empty where there never was one.</param>
/// <param name="Error">Why the latest question was not answered; null: it was.</param>
public sealed record HostAddresses(ImmutableArray<IPAddress> Addresses, string? Error);
