using System.Buffers;

namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// Where the buffers of connections come from. The shared pool keeps 32 of a size for each core, so with more requests than that at a time
/// it made many a buffer anew. Those of the common size stay with the thread that used them last.
/// </summary>
internal static class BufferPool
{
    /// <summary>Bytes: enough for most requests and responses, with what servers add to a page of 4 KB.</summary>
    public const int CommonSize = 8 * 1024;

    /// <summary>More arrays of one size than that are left to the garbage collector.</summary>
    private const int Kept = 512;

    /// <summary>For each thread, of the common size.</summary>
    private const int KeptHere = 64;

    private static readonly ArrayPool<byte> Arrays = ArrayPool<byte>.Create(ReceiveBuffer.MaxSize, Kept);

    [ThreadStatic]
    private static Stack<byte[]>? _here;

    /// <summary>At least that large; what is in it is whatever was there before.</summary>
    public static byte[] Rent(int size)
    {
        if (size > CommonSize) return Arrays.Rent(size);
        return _here is { Count: > 0 } here ? here.Pop() : Arrays.Rent(CommonSize);
    }

    public static void Return(byte[] array)
    {
        if (array.Length == CommonSize && (_here ??= new(KeptHere)) is { Count: < KeptHere } here) here.Push(array);
        else Arrays.Return(array);
    }
}
