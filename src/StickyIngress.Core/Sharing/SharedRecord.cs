using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace StickyIngress.Core.Sharing;

/// <summary>
/// A binding as the store holds it and as replicas announce it. Both begin with a version, so that replicas of two
/// versions can work on one store: what is of another version is left as it is.
/// </summary>
/*
 * Value:        version (1) | form (1) | peer: 16 bytes for a UUID in its usual text, else UTF-8.
 * Announcement: version (1) | sender (8) | length of the owner (2) | owner, UTF-8 | session key (16) | value.
 * One peer has one value, so values are compared byte by byte. Numbers are little-endian.
 */
internal static class SharedRecord
{
    public const byte Version = 1;

    private const byte Text = 0;
    private const byte Uuid = 1;
    private const int UuidBytes = 16;
    private const int OwnerAt = 1 + sizeof(long) + sizeof(ushort);

    public static byte[] Value(string peer) =>
        Guid.TryParseExact(peer, "D", out var uuid) && uuid.ToString("D") == peer
            ? [Version, Uuid, .. uuid.ToByteArray()]
            : [Version, Text, .. Encoding.UTF8.GetBytes(peer)];

    /// <summary>False for what this version does not understand.</summary>
    public static bool TryReadPeer(ReadOnlySpan<byte> value, [NotNullWhen(true)] out string? peer)
    {
        peer = value switch
        {
            [Version, Text, _, ..] => Encoding.UTF8.GetString(value[2..]),
            [Version, Uuid, .. { Length: UuidBytes } uuid] => new Guid(uuid).ToString("D"),
            _ => null,
        };
        return peer is not null;
    }

    public static byte[] Announcement(long sender, in SharedKey key, ReadOnlySpan<byte> value)
    {
        var ownerBytes = Encoding.UTF8.GetByteCount(key.Owner);
        var message = new byte[OwnerAt + ownerBytes + SharedKey.SessionBytes + value.Length];
        message[0] = Version;
        BinaryPrimitives.WriteInt64LittleEndian(message.AsSpan(1), sender);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(1 + sizeof(long)), (ushort)ownerBytes);
        Encoding.UTF8.GetBytes(key.Owner, message.AsSpan(OwnerAt));
        key.WriteSession(message.AsSpan(OwnerAt + ownerBytes));
        value.CopyTo(message.AsSpan(OwnerAt + ownerBytes + SharedKey.SessionBytes));
        return message;
    }

    /// <summary>False for what this version does not understand.</summary>
    public static bool TryReadAnnouncement(ReadOnlySpan<byte> message, out long sender, out SharedKey key, [NotNullWhen(true)] out string? peer)
    {
        (sender, key, peer) = (0, default, null);
        if (message.Length < OwnerAt || message[0] != Version) return false;

        var ownerBytes = BinaryPrimitives.ReadUInt16LittleEndian(message[(1 + sizeof(long))..]);
        if (message.Length < OwnerAt + ownerBytes + SharedKey.SessionBytes) return false;

        sender = BinaryPrimitives.ReadInt64LittleEndian(message[1..]);
        var rest = message[(OwnerAt + ownerBytes)..];
        key = new(Encoding.UTF8.GetString(message.Slice(OwnerAt, ownerBytes)), SharedKey.ReadSession(rest));
        return TryReadPeer(rest[SharedKey.SessionBytes..], out peer);
    }
}
