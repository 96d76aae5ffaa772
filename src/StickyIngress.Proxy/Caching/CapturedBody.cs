using System.Buffers;

namespace StickyIngress.Proxy.Caching;

/// <summary>A copy of a response's body as it goes to the client, up to a size.</summary>
internal sealed class CapturedBody(long limit)
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    /// <summary>There was more than the limit, and nothing is kept.</summary>
    public bool IsTooLarge { get; private set; }

    public ReadOnlyMemory<byte> Bytes => _bytes.WrittenMemory;

    public void Write(ReadOnlySpan<byte> more)
    {
        if (IsTooLarge) return;

        if (_bytes.WrittenCount + more.Length > limit)
        {
            IsTooLarge = true;
            _bytes.Clear();
            return;
        }

        _bytes.Write(more);
    }
}
