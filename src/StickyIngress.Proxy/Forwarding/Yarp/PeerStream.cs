using System.Net.Sockets;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Proxy.Forwarding.Yarp;

/// <summary>A connection to a peer that takes no longer than the send timeout for a write.</summary>
internal sealed class PeerStream : NetworkStream
{
    private readonly TimeSpan _sendTimeout;
    private readonly PeerState _peer;
    private int _closed;

    public PeerStream(Socket socket, TimeSpan sendTimeout, PeerState peer)
        : base(socket, ownsSocket: true)
    {
        (_sendTimeout, _peer) = (sendTimeout, peer);
        peer.ConnectionOpened();
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var write = base.WriteAsync(buffer, cancellationToken);
        return write.IsCompleted ? write : LimitAsync(write.AsTask(), cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0) _peer.ConnectionClosed();
        base.Dispose(disposing);
    }

    private async ValueTask LimitAsync(Task write, CancellationToken cancellationToken)
    {
        try
        {
            await write.WaitAsync(_sendTimeout, cancellationToken);
        }
        catch (TimeoutException e)
        {
            Dispose();
            throw new PeerSendTimeoutException($"the peer took nothing for {_sendTimeout}", e);
        }
    }
}

/// <summary>The send timeout passed.</summary>
internal sealed class PeerSendTimeoutException(string message, Exception inner) : IOException(message, inner);
