using System.Buffers.Binary;
using StickyIngress.Core.Sessions;

namespace StickyIngress.Core.Sharing;

/// <summary>
/// Where replicas keep the bindings that they share. Any call may be late or throw, whatever it is that the store then
/// has done; who calls sets the deadline. Values are opaque to it and compared byte by byte.
/// </summary>
public interface ISharedStore
{
    /// <summary>What other replicas announce, and this one too; one after another, from any thread.</summary>
    event Action<ReadOnlyMemory<byte>>? Announced;

    /// <summary>The value; null: there is none.</summary>
    Task<byte[]?> ReadAsync(SharedKey key);

    /// <summary>
    /// Puts the value where there is none or one of the expected, and makes it last; answers what stands there afterwards.
    /// </summary>
    Task<byte[]> WriteAsync(SharedWrite write);

    /// <summary>
    /// The parts that keys are spread over and that may fail alone, as the shards of a Cluster, as far as is known now; a single
    /// server is one.
    /// </summary>
    IReadOnlyCollection<string> Parts { get; }

    /// <summary>The part that has that key, by what <see cref="Parts"/> said last.</summary>
    string PartOf(in SharedKey key);

    /// <summary>Tries to write to a part, and reads which life of it this is.</summary>
    Task<StoreProbe> ProbeAsync(string part);

    /// <summary>Reads from a part, to see how long that takes.</summary>
    Task TryReadAsync(string part);
}

/// <summary>Under that key the store has what is no binding and cannot be replaced by one. Everything else may work.</summary>
public sealed class UnusableKeyException(string message, Exception cause) : Exception(message, cause);

/// <summary>A session of one upstream, which is named by its UID.</summary>
public readonly record struct SharedKey(string Owner, SessionKey Session)
{
    /// <summary>Bytes of a session's key.</summary>
    public const int SessionBytes = 2 * sizeof(ulong);

    /// <summary>The session's key as bytes, the same on every replica.</summary>
    public void WriteSession(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Session.High);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[sizeof(ulong)..], Session.Low);
    }

    internal static SessionKey ReadSession(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[sizeof(ulong)..]));
}

/// <summary>A value on its way to the store.</summary>
/// <param name="Expected">Values that it may replace.</param>
/// <param name="Lifetime">How long it stands there from now on; more than zero.</param>
/// <param name="Announcement">For the other replicas, if the value was not there before; null: they need not know.</param>
public sealed record SharedWrite(SharedKey Key, byte[] Value, IReadOnlyList<byte[]> Expected, TimeSpan Lifetime, byte[]? Announcement);

/// <summary>What a probe found.</summary>
/// <param name="Life">Another one than before where that part has lost its content since; empty: it cannot be told.</param>
/// <param name="Writable">Whether it takes writes; one that is out of memory does not.</param>
public sealed record StoreProbe(string Life, bool Writable);
