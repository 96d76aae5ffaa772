using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace StickyIngress.Core.Sessions;

/// <summary>
/// Turns session ids into keys. The zone's name is part of the hash key, so one id in two zones gives two unrelated keys.
/// </summary>
public sealed class SessionHasher
{
    /// <summary>Bytes that the secret must have at least.</summary>
    public const int MinimumSecretLength = 16;

    private const int StackBytes = 192; // zeroed for each id, so no more than most need
    private readonly ulong _key0;
    private readonly ulong _key1;

    /// <summary>The secret is at least <see cref="MinimumSecretLength"/> random bytes; fewer throw.</summary>
    public SessionHasher(ReadOnlySpan<byte> secret, string zone)
    {
        Span<byte> derived = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Derive(secret, "stickyingress session zone " + zone, derived);
        _key0 = BinaryPrimitives.ReadUInt64LittleEndian(derived);
        _key1 = BinaryPrimitives.ReadUInt64LittleEndian(derived[sizeof(ulong)..]);
    }

    /// <summary>16 bytes that tell two secrets apart and reveal neither; a session file carries them.</summary>
    public static byte[] Fingerprint(ReadOnlySpan<byte> secret)
    {
        Span<byte> derived = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Derive(secret, "stickyingress session fingerprint", derived);
        return derived[..16].ToArray();
    }

    /// <summary>The key of an id given as characters: the same as that of its UTF-8 bytes.</summary>
    public SessionKey Hash(ReadOnlySpan<char> id)
    {
        if (Encoding.UTF8.GetMaxByteCount(id.Length) <= StackBytes)
        {
            Span<byte> bytes = stackalloc byte[StackBytes];
            return Hash(bytes[..Encoding.UTF8.GetBytes(id, bytes)]);
        }

        var rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(id.Length));
        try
        {
            return Hash(rented.AsSpan(0, Encoding.UTF8.GetBytes(id, rented)));
        }
        finally
        {
            // It held a client's session id.
            ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }
    }

    /// <summary>The key of an id given as bytes.</summary>
    public SessionKey Hash(ReadOnlySpan<byte> id) => SipHash.Hash(_key0, _key1, id);

    private static void Derive(ReadOnlySpan<byte> secret, string purpose, Span<byte> derived)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(secret.Length, MinimumSecretLength);
        HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(purpose), derived);
    }
}
