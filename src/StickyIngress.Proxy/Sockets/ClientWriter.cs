using System.IO.Pipelines;
using System.Text;

namespace StickyIngress.Proxy.Sockets;

/// <summary>What is sent to a client.</summary>
internal abstract class ClientWriter : PipeWriter
{
    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(GetSpan(bytes.Length));
        Advance(bytes.Length);
    }

    /// <summary>Text of bytes, one character each.</summary>
    public void Write(string text) => Advance(Encoding.Latin1.GetBytes(text, GetSpan(text.Length)));

    /// <summary>Sends what nothing follows for now; false: not all of it was taken yet.</summary>
    public abstract bool TryFlushSoon();

    /// <summary>The same, and ends when all of it was.</summary>
    public abstract ValueTask<FlushResult> FlushSoonAsync();
}
