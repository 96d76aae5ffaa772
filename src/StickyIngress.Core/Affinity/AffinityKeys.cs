using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace StickyIngress.Core.Affinity;

/// <summary>
/// The keys of opaque cookies: the first issues, all are accepted, and a cookie of a later one is issued anew. To
/// rotate, put a new key in front, and take the old one away when the clients have had time to come back.
/// </summary>
public sealed class AffinityKeys
{
    /// <summary>Bytes that a key has at least.</summary>
    public const int MinKeyLength = 16;

    /// <summary>More keys than this would only make every compile slower.</summary>
    public const int MaxKeys = 16;

    private AffinityKeys(ImmutableArray<AffinityKey> all, bool isRandom)
    {
        All = all;
        IsRandom = isRandom;

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var key in all) hash.AppendData(key.Fingerprint);
        Fingerprint = Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    /// <summary>Made up at start: other replicas and the next start do not know it.</summary>
    public bool IsRandom { get; }

    /// <summary>Tells key sets apart in a log without telling the keys; the same on every replica.</summary>
    public string Fingerprint { get; }

    public int Count => All.Length;

    internal ImmutableArray<AffinityKey> All { get; }

    /// <summary>Keys the hash of session ids; the same wherever the key is that issues.</summary>
    public byte[] SessionSecret => All[0].SessionSecret();

    /// <summary>The same of every key that is accepted: replicas may have been started with another one in front.</summary>
    public IEnumerable<byte[]> SessionSecrets => All.Select(key => key.SessionSecret());

    /// <summary>A secret for a file that only those can read who have the key that issues.</summary>
    public byte[] Wrap(ReadOnlySpan<byte> secret) => All[0].Wrap(secret);

    /// <summary>The secret that was wrapped with any of the keys; null: none of them opens it.</summary>
    public byte[]? Unwrap(ReadOnlySpan<byte> wrapped)
    {
        foreach (var key in All)
            if (key.Unwrap(wrapped) is { } secret) return secret;

        return null;
    }

    /// <summary>One random key, for when none is configured.</summary>
    public static AffinityKeys CreateRandom() => new([new(RandomNumberGenerator.GetBytes(32))], isRandom: true);

    /// <summary>
    /// Reads one key from each line: its bytes as they stand, without spaces around them, at least
    /// <see cref="MinKeyLength"/>, so that the output of <c>openssl rand -base64 32</c> is a key. Empty lines and lines
    /// with # in front are skipped. False with a message that has no key in it.
    /// </summary>
    public static bool TryParse(
        ReadOnlySpan<byte> lines, [NotNullWhen(true)] out AffinityKeys? keys, [NotNullWhen(false)] out string? error)
    {
        (keys, error) = (null, null);
        var found = ImmutableArray.CreateBuilder<AffinityKey>();
        var number = 0;
        foreach (var range in lines.Split((byte)'\n'))
        {
            number++;
            var line = lines[range].Trim(" \t\r"u8);
            if (line.IsEmpty || line[0] == '#') continue;

            error = Mistake(line, number, found);
            if (error is not null) return false;

            found.Add(new(line.ToArray()));
        }

        if (found.Count == 0) error = "there is no key";
        else keys = new(found.ToImmutable(), isRandom: false);
        return keys is not null;
    }

    private static string? Mistake(ReadOnlySpan<byte> line, int number, ImmutableArray<AffinityKey>.Builder found)
    {
        if (line.Length < MinKeyLength)
            return $"the key in line {number} has {line.Length} bytes; it must have at least {MinKeyLength}";
        if (found.Count == MaxKeys) return $"line {number} is one key too many; there may be {MaxKeys}";

        foreach (var other in found)
            if (other.Is(line)) return $"the key in line {number} stands there twice";

        return null;
    }
}
