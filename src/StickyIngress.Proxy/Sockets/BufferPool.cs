using System.Buffers;

namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// Where the buffers of connections come from. The shared pool keeps 32 of a size for each core, so with more requests than that at a time
/// it made many a buffer anew.
/// </summary>
internal static class BufferPool
{
    /// <summary>More arrays of one size than that are left to the garbage collector.</summary>
    private const int Kept = 512;

    public static ArrayPool<byte> Arrays { get; } = ArrayPool<byte>.Create(ReceiveBuffer.MaxSize, Kept);
}
