using System.Collections.Immutable;
using System.Net;

namespace StickyIngress.Control.Resolving;

/// <summary>What is known of a followed name. Addresses that were there before stand first, in the order that they had.</summary>
/// <param name="Addresses">The last good answer; empty where there never was one.</param>
/// <param name="Error">What came of the latest question if that was no good answer; null: it was.</param>
public sealed record NameAnswer(ImmutableArray<ResolvedAddress> Addresses, string? Error)
{
    public static NameAnswer None { get; } = new([], null);

    /// <summary>
    /// The good answer after this one: addresses that are still there keep their order, and new ones follow. These are sorted, so that
    /// replicas which ask at the same time agree on the order whatever a resolver makes of it.
    /// </summary>
    internal NameAnswer Then(ImmutableArray<ResolvedAddress> fresh)
    {
        var left = new Dictionary<ResolvedKey, ResolvedAddress>();
        foreach (var address in fresh) left.TryAdd(address.Key, address);

        var merged = ImmutableArray.CreateBuilder<ResolvedAddress>(left.Count);
        foreach (var known in Addresses)
        {
            if (left.Remove(known.Key, out var still)) merged.Add(still);
        }

        merged.AddRange(left.Values.OrderBy(added => added.Service?.Priority)
            .ThenBy(added => added.Key.Target, StringComparer.Ordinal).ThenBy(added => added.Key.Port)
            .ThenBy(added => added.Address.AddressFamily).ThenBy(added => Convert.ToHexString(added.Address.GetAddressBytes()), StringComparer.Ordinal));
        return new(merged.ToImmutable(), null);
    }

    public bool Equals(NameAnswer? other) => other is not null && Error == other.Error && Addresses.SequenceEqual(other.Addresses);

    public override int GetHashCode() => HashCode.Combine(Addresses.Length, Error);
}

/// <summary>An address of a name, and the SRV record that led to it; null: none did.</summary>
public sealed record ResolvedAddress(IPAddress Address, ServiceRecord? Service)
{
    /// <summary>What makes it one peer: priority and weight may change without making it another.</summary>
    internal ResolvedKey Key => new(Address, Service?.Target.ToLowerInvariant() ?? "", Service?.Port ?? 0);
}

/// <summary>One SRV record.</summary>
/// <param name="Target">Without a dot at the end.</param>
/// <param name="Priority">The lowest is preferred.</param>
/// <param name="Weight">As in the record, where 0 is allowed.</param>
public sealed record ServiceRecord(string Target, int Port, int Priority, int Weight);

internal readonly record struct ResolvedKey(IPAddress Address, string Target, int Port);
