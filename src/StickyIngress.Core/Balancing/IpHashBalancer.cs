using System.Net;
using System.Net.Sockets;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>
/// nginx <c>ip_hash</c>: clients of one IPv4 /24 network, or of one IPv6 address, get one peer. Hashing goes on from the
/// number reached where that peer is unavailable; after too many misses round robin decides.
/// </summary>
public sealed class IpHashBalancer(PeerGroup primaries, PeerGroup backups) : IBalancer
{
    private const int Start = 89;
    private const int Factor = 113;
    private const int Modulus = 6271;
    private const int Ipv4BytesUsed = 3;
    private const int Ipv6Bytes = 16;

    private readonly RoundRobinBalancer _roundRobin = new(primaries, backups);

    public Peer? Pick(Selection selection, long nowMilliseconds)
    {
        var group = selection.Group;
        ref var progress = ref selection.Hash;
        if (progress.Misses > HashLimits.Misses || group.Peers.Length < 2)
            return _roundRobin.Pick(selection, nowMilliseconds);

        var now = nowMilliseconds / 1000;
        if (PeerAccounting.UsableBound(selection, now) is { } bound) return bound;

        Span<byte> buffer = stackalloc byte[Ipv6Bytes];
        var bytes = buffer[..Read(selection.ClientAddress, buffer)];
        if (!progress.Started) (progress.Sum, progress.Started) = (Start, true);
        do
        {
            foreach (var one in bytes) progress.Sum = ((progress.Sum * Factor) + one) % Modulus;
            var peer = group.At(progress.Sum % group.TotalWeight);
            if (PeerAccounting.IsAvailable(peer, selection, now)) return peer;
        }
        while (!HashLimits.Exhausted(ref progress));

        return _roundRobin.Pick(selection, nowMilliseconds);
    }

    /// <summary>Writes the bytes that count; a client without an address counts as zeros. Returns how many.</summary>
    private static int Read(IPAddress? address, Span<byte> bytes)
    {
        if (address is null)
        {
            bytes.Clear();
            return Ipv4BytesUsed;
        }

        address.TryWriteBytes(bytes, out var written);
        return address.AddressFamily == AddressFamily.InterNetwork ? Ipv4BytesUsed : written;
    }
}
