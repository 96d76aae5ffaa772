using System.Net.Sockets;

namespace StickyIngress.Proxy.Forwarding.Yarp;

/// <summary>A connection to a peer that takes no longer than the send timeout for a write.</summary>
internal sealed class PeerStream(Socket socket, TimeSpan sendTimeout) : NetworkStream(socket, ownsSocket: true)
{
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var write = base.WriteAsync(buffer, cancellationToken);
        return write.IsCompleted ? write : LimitAsync(write.AsTask(), cancellationToken);
    }

    private async ValueTask LimitAsync(Task write, CancellationToken cancellationToken)
    {
        try
        {
            await write.WaitAsync(sendTimeout, cancellationToken);
        }
        catch (TimeoutException e)
        {
            Dispose();
            throw new PeerSendTimeoutException($"the peer took nothing for {sendTimeout}", e);
        }
    }
}

/// <summary>The send timeout passed.</summary>
internal sealed class PeerSendTimeoutException(string message, Exception inner) : IOException(message, inner);
