using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Affinity;

/// <summary>
/// One key, and the two things made with it. A token names a peer: HMAC-SHA256 over upstream, a zero byte and the
/// peer's id, the first 16 bytes, in base64url. A sealed cookie is a token with the times of the binding, encrypted and
/// authenticated by AES-256-GCM.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "a key lives as long as any upstream has it, and its ciphers go with the last of them")]
internal sealed class AffinityKey
{
    /// <summary>Characters of a token.</summary>
    public const int TokenLength = 22;

    private const int TokenBytes = 16;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int ContentBytes = TokenBytes + (2 * sizeof(long));
    private const int SealedBytes = 1 + NonceBytes + ContentBytes + TagBytes;

    /// <summary>Characters of a sealed cookie.</summary>
    public const int SealedLength = ((SealedBytes * 4) + 2) / 3;

    private readonly byte[] _key;
    private readonly byte _id;
    private readonly ThreadLocal<AesGcm> _cipher; // one instance must not be used by two threads

    public AffinityKey(byte[] key)
    {
        _key = key;
        Fingerprint = HKDF.DeriveKey(HashAlgorithmName.SHA256, key, 32, info: "stickyingress key fingerprint"u8.ToArray());
        _id = Fingerprint[0];

        var sealing = HKDF.DeriveKey(HashAlgorithmName.SHA256, key, 32, info: "stickyingress sealed cookie"u8.ToArray());
        _cipher = new(() => new(sealing, TagBytes));
    }

    /// <summary>Tells keys apart and gives nothing away.</summary>
    public byte[] Fingerprint { get; }

    public bool Is(ReadOnlySpan<byte> key) => CryptographicOperations.FixedTimeEquals(_key, key);

    public byte[] SessionSecret() => HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, 32, info: "stickyingress session secret"u8.ToArray());

    /// <summary>Nonce, cipher and tag.</summary>
    public byte[] Wrap(ReadOnlySpan<byte> secret)
    {
        var bytes = new byte[NonceBytes + secret.Length + TagBytes];
        RandomNumberGenerator.Fill(bytes.AsSpan(0, NonceBytes));
        using var cipher = Wrapping();
        cipher.Encrypt(bytes.AsSpan(0, NonceBytes), secret, bytes.AsSpan(NonceBytes, secret.Length), bytes.AsSpan(^TagBytes..));
        return bytes;
    }

    /// <summary>Null for what this key did not wrap.</summary>
    public byte[]? Unwrap(ReadOnlySpan<byte> wrapped)
    {
        if (wrapped.Length < NonceBytes + TagBytes) return null;

        var secret = new byte[wrapped.Length - NonceBytes - TagBytes];
        using var cipher = Wrapping();
        try
        {
            cipher.Decrypt(wrapped[..NonceBytes], wrapped[NonceBytes..^TagBytes], wrapped[^TagBytes..], secret);
            return secret;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private AesGcm Wrapping() =>
        new(HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, 32, info: "stickyingress session file"u8.ToArray()), TagBytes);

    public string Token(UpstreamName upstream, PeerId peer)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{upstream}\0{peer}"), hash);
        return Base64Url.EncodeToString(hash[..TokenBytes]);
    }

    /// <param name="token">Of this key.</param>
    /// <param name="context">Must be the same when it is opened.</param>
    public string Seal(ReadOnlySpan<char> token, SealedTimes times, ReadOnlySpan<byte> context)
    {
        Span<byte> content = stackalloc byte[ContentBytes];
        Base64Url.DecodeFromChars(token, content);
        BinaryPrimitives.WriteInt64BigEndian(content[TokenBytes..], times.Issued);
        BinaryPrimitives.WriteInt64BigEndian(content[(TokenBytes + sizeof(long))..], times.Seen);

        Span<byte> bytes = stackalloc byte[SealedBytes];
        bytes[0] = _id;
        RandomNumberGenerator.Fill(bytes.Slice(1, NonceBytes));
        var cipher = bytes.Slice(1 + NonceBytes, ContentBytes);
        _cipher.Value!.Encrypt(bytes.Slice(1, NonceBytes), content, cipher, bytes[^TagBytes..], context);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Opens what this key sealed; false for anything else.</summary>
    /// <param name="token">Gets the token: room for <see cref="TokenLength"/> characters.</param>
    public bool TryOpen(ReadOnlySpan<char> value, ReadOnlySpan<byte> context, Span<char> token, out SealedTimes times)
    {
        times = default;
        Span<byte> bytes = stackalloc byte[SealedBytes];
        if (value.Length != SealedLength) return false;
        if (Base64Url.DecodeFromChars(value, bytes, out _, out var length) != OperationStatus.Done) return false;
        if (length != SealedBytes || bytes[0] != _id) return false;

        Span<byte> content = stackalloc byte[ContentBytes];
        try
        {
            var cipher = bytes.Slice(1 + NonceBytes, ContentBytes);
            _cipher.Value!.Decrypt(bytes.Slice(1, NonceBytes), cipher, bytes[^TagBytes..], content, context);
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }

        Base64Url.EncodeToChars(content[..TokenBytes], token);
        var issued = BinaryPrimitives.ReadInt64BigEndian(content[TokenBytes..]);
        times = new(issued, BinaryPrimitives.ReadInt64BigEndian(content[(TokenBytes + sizeof(long))..]));
        return true;
    }
}

/// <summary>When a binding was made, and when its client was last given the cookie; Unix seconds.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SealedTimes(long Issued, long Seen);
